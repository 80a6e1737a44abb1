// Runs a program on node:wasi: MODULE, and as JSON its arguments, environment and root directory.
// The exit status is the program's, 134 after a trap.
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const [module, world] = process.argv.slice(2);
const { args, env, root } = JSON.parse(world);
const wasi = new WASI({
  version: "preview1",
  args: [module, ...args],
  env,
  preopens: root === null ? {} : { "/": root },
  returnOnExit: true,
});
try {
  const compiled = await WebAssembly.compile(await readFile(module));
  const instance = await WebAssembly.instantiate(compiled, wasi.getImportObject());
  process.exitCode = wasi.start(instance) & 0xff;  // all that a process can say
} catch (error) {
  console.error(error);
  process.exitCode = 134;
}
