"""With a clock and a seed two runs are the same, byte for byte: output, files and trace."""

import hashlib
import io
import os
import subprocess
import sys
import time

import pytest

from tests.runtimes.guests import command
from tests.sandbox.programs import says
from wasi_host import (
    PIPE,
    Clock,
    Divergence,
    MemoryFS,
    Pool,
    Sandbox,
    Trace,
    Wasi,
    record,
    replay,
    run,
)  # fmt: skip
from wasi_host.fs.memory import Link

START = 1_700_000_000_000_000_000
CLOCKS = {
    "fixed": Clock.fixed(START),
    "stepping": Clock.stepping(START, 1000),
    "virtual": Clock.virtual(START),
}
TREE = {"b": "two", "a": {"c": b"three" * 1000, "d": {}}, "link": Link("a/c")}

#: Reads random bytes, all clocks and a directory, sleeps a day, and writes all it was told.
CURIOUS = command(
    """(drop (call $random_get (i32.const 1000) (i32.const 100)))
    (drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 1100)))
    (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 1108)))
    (drop (call $clock_time_get (i32.const 2) (i64.const 1) (i32.const 1116)))
    (i32.store (i32.const 716) (i32.const 1))
    (i64.store (i32.const 724) (i64.const 86400000000000))
    (drop (call $poll_oneoff (i32.const 700) (i32.const 1124) (i32.const 1) (i32.const 900)))
    (drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 1156)))
    (drop (call $fd_readdir (i32.const 3) (i32.const 1164) (i32.const 400) (i64.const 0)
      (i32.const 900)))
    (drop (call $fd_filestat_get (i32.const 3) (i32.const 1564)))
    (i32.store (i32.const 0) (i32.const 1000)) (i32.store (i32.const 4) (i32.const 628))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))""",
    wasi=["random_get", "clock_time_get", "poll_oneoff", "fd_readdir", "fd_filestat_get",
          "fd_write"],
)  # fmt: skip


def curious(clock, **options):
    return run(
        [CURIOUS], dirs={"/": TREE, "/a/e": {}}, capture_output=True, clock=clock, **options
    )


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_output_trace_and_recording_are_the_same_in_two_runs(clock):
    outcomes = []
    for _ in range(2):
        file = io.BytesIO()
        result = curious(clock, seed=5, trace=True, layers=[record(file)])
        outcomes.append((result.stdout, str(result.trace), result.trace.to_json(), file.getvalue()))
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0][0]) == 628


def test_a_trace_changes_nothing_the_guest_can_see():
    clock = CLOCKS["stepping"]
    assert curious(clock, seed=5).stdout == curious(clock, seed=5, trace=True).stdout


def test_another_seed_gives_other_random_bytes_and_the_same_else():
    first, second = (curious(CLOCKS["fixed"], seed=seed).stdout for seed in (5, 6))
    assert first[:100] != second[:100]
    assert first[100:] == second[100:]


def test_a_seed_alone_leaves_the_clock_the_hosts():
    hurried = CURIOUS.replace(b"86400000000000", b"1")
    result = run([hurried], dirs={"/": {}}, seed=5, capture_output=True)
    told = int.from_bytes(result.stdout[100:108], "little")
    assert result.stdout[:100] == curious(CLOCKS["fixed"], seed=5).stdout[:100]
    assert abs(told - time.time_ns()) < 3600 * 10**9


@pytest.mark.parametrize(("clock", "slept"), [
    ("fixed", 0), ("virtual", 86_400_000_000_000), ("stepping", 86_400_000_003_000),
])  # fmt: skip
def test_a_sleep_takes_no_time_and_shows_on_clocks_that_jump(clock, slept):
    out = curious(CLOCKS[clock], seed=5).stdout
    before, after = (int.from_bytes(out[n : n + 8], "little") for n in (100, 156))
    assert (before, after - before) == (START, slept)


def archive():
    """A real program writes an archive with names, times and sizes into a tree."""
    files = MemoryFS({"in": TREE}, clock=lambda: START, device=1)
    result = run(
        ["examples/tar.wasm", "-cvf", "/work/out.tar", "-C", "/work", "in"],
        dirs={"/work": files}, clock=CLOCKS["virtual"], seed=1, trace=True, capture_output=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout, str(result.trace), files.tree()


def test_a_real_program_leaves_the_same_files():
    first = archive()
    assert len(first[2]["out.tar"]) > 5000
    assert first == archive()


_CHILD = """
import hashlib
from tests.sandbox.test_determinism import CLOCKS, archive, curious
seen = archive(), curious(CLOCKS["stepping"], seed=9, trace=True)
print(hashlib.sha256(repr((seen[0], seen[1].stdout, str(seen[1].trace))).encode()).hexdigest())
"""


def test_runs_in_two_processes_are_the_same():
    digests = {
        subprocess.run(
            [sys.executable, "-c", _CHILD],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == len(hashlib.sha256().hexdigest())


def test_a_pool_serves_runs_with_clock_and_seed_alike():
    sandbox = Sandbox(CURIOUS, dirs={"/": TREE, "/a/e": {}}, clock=CLOCKS["virtual"], seed=5)
    plain = Sandbox(CURIOUS, clock=CLOCKS["virtual"], seed=5)
    for recipe in (sandbox, plain):
        with Pool(recipe, size=2) as pool:
            assert len({pool.run().stdout for _ in range(3)}) == 1


def test_the_import_provider_takes_clock_seed_trace_and_layers():
    denied = []

    def layer(row, call):
        if row.name != "fd_tell":
            return call
        return lambda fd: denied.append(fd) or call(fd)

    with Wasi(stdout=PIPE, clock=CLOCKS["stepping"], seed=5, trace=Trace(), layers=[layer]) as wasi:
        memory = bytearray(1024)
        functions = wasi.functions(lambda: _Buffer(memory))
        assert functions["clock_time_get"](0, 1, 0) == functions["random_get"](8, 8) == 0
        functions["fd_tell"](1, 16)
    assert int.from_bytes(memory[:8], "little") == START
    assert memory[8:16] == curious(CLOCKS["stepping"], seed=5).stdout[:8]
    assert denied == [1]
    assert str(wasi.trace).startswith(f"clock_time_get(REALTIME, 1) = {START} <0.000001>\n")


def test_the_import_provider_tells_of_a_recording_that_goes_on():
    wasmtime = pytest.importorskip("wasmtime")
    file = io.BytesIO()
    run([says("text")], capture_output=True, layers=[record(file)])
    file.seek(0)
    linker = wasmtime.Linker(wasmtime.Engine())
    store = wasmtime.Store(linker.engine)
    with Wasi(layers=[replay(file)]) as wasi:
        wasi.add_to_linker(linker)
        module = wasmtime.Module(linker.engine, command("(nop)").decode())
        with pytest.raises(Divergence, match="this run has ended"):
            wasi.start(linker.instantiate(store, module))


class _Buffer:
    def __init__(self, memory):
        self._memory = memory

    def view(self):
        return memoryview(self._memory)
