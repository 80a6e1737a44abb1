// Runs a guest on Node's WASI: node node_wasi.mjs DIR MODULE ARG...
import { readFile } from "node:fs/promises";
import { openSync } from "node:fs";
import { WASI } from "node:wasi";

const [directory, ...args] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args,
  preopens: { "/d": directory },
  stdout: openSync("/dev/null", "w"),
  stderr: 2,
  returnOnExit: true,
});
const module = await WebAssembly.compile(await readFile(args[0]));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
