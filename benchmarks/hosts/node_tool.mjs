// As tool.py, on Node's WASI: node node_tool.mjs JOB SCRATCH_FILE
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { WASI } from "node:wasi";

const [text, scratch] = process.argv.slice(2);
const job = JSON.parse(text);
const module = new WebAssembly.Module(readFileSync(job.module));

for await (const line of createInterface({ input: process.stdin })) {
  let wall = 0n, user = 0, system = 0;
  for (let left = Number(line); left > 0; left--) {
    const before = process.cpuUsage();
    const start = process.hrtime.bigint();
    const stdout = openSync(scratch, "w");
    const wasi = new WASI({
      version: "preview1", args: ["program", ...job.args], preopens: { "/d": job.directory },
      stdout, returnOnExit: true,
    });
    const code = wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
    closeSync(stdout);
    const output = readFileSync(scratch);
    wall += process.hrtime.bigint() - start;
    const used = process.cpuUsage(before);
    user += used.user;
    system += used.system;
    const digest = createHash("sha256").update(output).digest("hex");
    if (code || digest !== job.wanted) throw new Error(`exit code ${code}: ${output.slice(0, 300)}`);
    if (job.empty) {
      rmSync(job.empty, { recursive: true });
      mkdirSync(job.empty);
    }
  }
  console.log(Number(wall) / 1e9, (user + system) / 1e6);
}
