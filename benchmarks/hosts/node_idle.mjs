// As idle.py, on Node's WASI: node --expose-gc node_idle.mjs COUNT MODULE
import { openSync, readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const [number, path] = process.argv.slice(2);
const count = Number(number);
const module = new WebAssembly.Module(readFileSync(path));
const stdout = openSync("/dev/null", "w");

function make() {
  const wasi = new WASI({ version: "preview1", args: ["module", "there"], stdout });
  const instance = new WebAssembly.Instance(module, wasi.getImportObject());
  wasi.initialize(instance);
  return { wasi, instance };
}

function resident() {
  globalThis.gc();
  return process.memoryUsage.rss();
}

const kept = [];
for (let left = 50; left > 0; left--) kept.push(make());
for (const { instance } of kept) instance.exports.hello();
const before = resident();
for (let left = count; left > 0; left--) kept.push(make());
const made = resident();
for (const { instance } of kept) instance.exports.hello();
console.log((made - before) / count, (resident() - before) / count);
process.exit(0);
