// Whole lives of sandboxes on Node's WASI: node node_lives.mjs MODULE WANTED SCRATCH_FILE
// As lives.py; the output goes to a file that is read, since Node's WASI only knows descriptors.
import { ftruncateSync, openSync, readFileSync, readSync } from "node:fs";
import { createInterface } from "node:readline";
import { WASI } from "node:wasi";

const [path, wanted, scratch] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(path));
const output = openSync(scratch, "a+");
const room = Buffer.alloc(4096);

function life() {
  const wasi = new WASI({
    version: "preview1",
    args: ["module", "there"],
    env: { NAME: "nobody" },
    stdout: output,
    returnOnExit: true,
  });
  wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
  const size = readSync(output, room, 0, room.length, 0);
  ftruncateSync(output, 0);
  return room.toString("utf8", 0, size);
}

for await (const line of createInterface({ input: process.stdin })) {
  const before = process.cpuUsage();
  const start = process.hrtime.bigint();
  for (let left = Number(line); left > 0; left--) {
    const said = life();
    if (said !== wanted + "\n") throw new Error(`${said}, not ${wanted}`);
  }
  const wall = Number(process.hrtime.bigint() - start) / 1e9;
  const used = process.cpuUsage(before);
  console.log(wall, (used.user + used.system) / 1e6);
}
