"""What every engine does alike: one contract, run on all that are installed."""

import io
import subprocess
import sys
import threading
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest

import wasi_host
from tests.runtimes.guests import NOTHING, command, module, writes
from tests.sandbox.programs import (
    ARGS,
    CAT,
    CREATE,
    ENDLESS,
    ENVIRON,
    NUMBERS,
    OPEN_MANY,
    PREOPENS,
    exits,
    says,
)
from wasi_host import Limits
from wasi_host.runtimes import engines
from wasi_host.runtimes.contract import Mode
from wasi_spec import Errno

PACKAGES = {"wasmtime": "wasmtime", "pywasm": "pywasm", "pywasm3": "wasm3"}
GUESTS = Path(__file__).parents[1] / "guests"
PAGE = 65_536


@pytest.fixture(params=PACKAGES)
def runtime(request):
    if find_spec(PACKAGES[request.param]) is None:
        pytest.skip(f"the engine {request.param} is not installed")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "pywasm3 cannot be stopped", RuntimeWarning)
        yield request.param


@pytest.fixture
def run(runtime):
    def run(source, *words, **keywords):
        keywords.setdefault("capture_output", True)
        return wasi_host.run([source, *words], runtime=runtime, **keywords)

    return run


@pytest.fixture
def numbers(runtime):
    with wasi_host.Sandbox(NUMBERS, runtime=runtime).instantiate() as instance:
        yield instance


# ---- running ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 126, 255, 256, 2**31, 2**32 - 1])
def test_an_exit_code_comes_out_unsigned(run, code):
    assert run(exits(code)).returncode == code


def test_a_start_that_returns_is_0(run):
    assert run(module(NOTHING)).returncode == 0


def test_streams_arguments_environment_and_directories_are_served(run):
    assert run(CAT, input=b"copied").stdout == b"copied"
    assert run(ARGS, "a", "b c").stdout == b"module\0a\0b c\0"
    assert run(ENVIRON, env={"A": "1"}).stdout == b"A=1\0"
    assert run(PREOPENS, dirs={"/a": {}, "/b": {}}).stdout == b"/a\n/b\n"
    assert run(says("text"), text=True).stdout == "text"


def test_files_are_created_and_limited(run):
    files = wasi_host.MemoryFS()
    assert run(CREATE, dirs={"/": files}).returncode == 0
    assert run(OPEN_MANY, dirs={"/": files}, limits=Limits(open_files=10)).returncode == 6
    done = run(CREATE, dirs={"/": {}}, limits=Limits(inodes=0))
    assert (done.returncode, done.limits_hit) == (Errno.DQUOT, {"inodes"})


def test_64_bit_numbers_come_signed_to_the_host(run):
    source = command(
        """(drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 500) (i32.const 1)
          (i32.const 0) (i64.const 38) (i64.const 0) (i32.const 0) (i32.const 16)))
        (if (call $fd_seek (i32.load (i32.const 16)) (i64.const -3) (i32.const 2) (i32.const 24))
          (then unreachable))
        (call $proc_exit (i32.wrap_i64 (i64.load (i32.const 24))))""",
        '(data (i32.const 500) "f")',
        wasi=["path_open", "fd_seek", "proc_exit"],
    )
    assert run(source, dirs={"/": {"f": b"0123456789"}}).returncode == 7


@pytest.mark.parametrize("program", ["preview1", "unstable"])
def test_both_modules_are_served_with_their_own_layouts(runtime, run, program):
    if runtime == "pywasm3":
        pytest.skip("the program is built for more than the MVP")
    done = run(GUESTS / f"both_{program}.wasm", "a", "b", dirs={"/": {"sub": {}}})
    assert done.returncode == 42
    assert b"  nlink 2\n" in done.stdout


def test_a_call_of_the_predecessor_has_its_own_layout(run):
    source = """(module
      (import "wasi_unstable" "fd_filestat_get" (func $stat (param i32 i32) (result i32)))
      (import "wasi_unstable" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func (export "_start")
        (i32.store (i32.const 60) (i32.const 77))
        (if (call $stat (i32.const 3) (i32.const 0)) (then unreachable))
        ;; 56 bytes: what follows is untouched
        (call $exit (i32.add (i32.load (i32.const 60)) (i32.load8_u (i32.const 16))))))"""
    assert run(source.encode(), dirs={"/": {}}).returncode == 77 + 3


# ---- ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("unreachable", "unreachable"),
        ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "integer division by zero"),
        ("(drop (i32.load (i32.const 70000)))", "memory out of bounds"),
    ],
    ids=["unreachable", "division", "memory"],
)
def test_a_trap_is_a_trap(runtime, run, body, cause):
    done = run(command(body))
    assert done.returncode == -6
    assert done.trap.cause == (None if runtime == "pywasm" else cause)


def test_endless_recursion_is_a_trap(run):
    done = run(command("(call $deeper)", "(func $deeper (call $deeper) (call $deeper))"))
    assert done.trap.cause == "stack overflow"


def test_a_start_section_may_call_and_exit(run):
    say, data = writes("early")
    source = module(f"(func $early {say}) (start $early)", NOTHING, data, wasi=["fd_write"])
    assert run(source).stdout == b"early"
    source = module("(func $early (call $proc_exit (i32.const 9))) (start $early)",
                    '(func (export "_start") unreachable)', wasi=["proc_exit"])  # fmt: skip
    assert run(source).returncode == 9


@pytest.mark.parametrize("name", ENDLESS)
def test_a_timeout_ends_a_guest(runtime, name):
    if runtime == "pywasm3" and "computing" in name:
        pytest.skip("pywasm3 cannot be stopped while it computes; it says so")
    sandbox = wasi_host.Sandbox(ENDLESS[name], limits=Limits(timeout=0.2), runtime=runtime)
    with wasi_host.spawn(
        [sandbox.module], stdin=wasi_host.PIPE, stdout=wasi_host.DEVNULL,
        limits=Limits(timeout=0.2), runtime=runtime,
    ) as guest:  # fmt: skip
        assert guest.wait(60) == -9
        assert guest.result.stopped == "timeout"


def test_calls_are_limited(run):
    assert run(ENDLESS["making calls"], limits=Limits(calls=20)).stopped == "calls"


def test_the_exception_of_a_stream_comes_out_after_the_run(run):
    def fails(data):
        raise LookupError(data)

    with pytest.raises(LookupError):
        run(says("x"), capture_output=False, stdout=fails)


def test_a_mistake_of_the_host_comes_out_and_the_guest_ends(runtime):
    class Broken:
        def sched_yield(self):
            raise ZeroDivisionError("ours")

    source = command("(drop (call $sched_yield)) unreachable", wasi=["sched_yield"])
    compiled = engines.compiler(runtime)(wasi_host.Module(source).wasm, Mode(runtime=runtime))
    binding = compiled.bind()
    binding.serve(Broken())
    with pytest.raises(ZeroDivisionError, match="ours"):
        binding.run(1 << 20)
    binding.detach()


# ---- memory -------------------------------------------------------------------------------------


def test_memory_grows_to_the_limit_and_the_host_sees_it(run):
    source = command(
        """(loop $more (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 1)))))
        (i32.store (i32.const 1000000) (i32.const 1200000))
        (i32.store (i32.const 1000004) (i32.const 2))
        (i32.store (i32.const 1200000) (i32.const 0x6b6f))
        (drop (call $fd_write (i32.const 1) (i32.const 1000000) (i32.const 1) (i32.const 8)))
        (call $proc_exit (memory.size))""",
        wasi=["fd_write", "proc_exit"],
    )
    done = run(source, limits=Limits(memory=20 * PAGE))
    assert (done.returncode, done.stdout, done.usage.memory) == (20, b"ok", 20 * PAGE)


@pytest.mark.parametrize("own", ["", "5"], ids=["without a maximum of its own", "with one"])
def test_the_smaller_of_both_maxima_holds(run, own):
    source = command(
        """(loop $more (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 1)))))
        (call $proc_exit (memory.size))""",
        wasi=["proc_exit"],
        memory=f'(memory (export "memory") 1 {own})',
    )
    assert run(source, limits=Limits(memory=9 * PAGE)).returncode == (5 if own else 9)


def test_a_module_that_starts_larger_is_refused_with_the_limits_name(run):
    for part, memory in (("", 3), ("(table 30000 funcref)", 1)):
        source = module(part, NOTHING, memory=f'(memory (export "memory") {memory})')
        with pytest.raises(wasi_host.NotAWasiModule, match=r"Limits\.memory"):
            run(source, limits=Limits(memory=2 * PAGE))


def test_pointers_outside_are_faults_and_nothing_is_written(run):
    source = command(
        "(call $proc_exit (call $random_get (i32.const 65530) (i32.const 100)))",
        wasi=["random_get", "proc_exit"],
    )
    assert run(source).returncode == Errno.FAULT


# ---- instances ----------------------------------------------------------------------------------


def test_an_instance_keeps_its_state_and_goes_on_after_a_trap(numbers):
    assert numbers.call("ready") == 7
    assert numbers.call("add", -1, 2) == 1
    assert numbers.call("half", 3.0) == 1.5
    with pytest.raises(wasi_host.Trap):
        numbers.call("boom")
    assert numbers.call("add", 2**31 - 1, 1) == 2**31
    assert numbers.call("nothing") is None


def test_memory_can_be_read_and_written(numbers):
    numbers.memory[100] = 5
    assert numbers.memory[100] == 5
    assert len(numbers.memory) == PAGE


def test_a_wrong_call_is_refused(numbers):
    with pytest.raises(AttributeError):
        numbers.call("missing")
    with pytest.raises(TypeError):
        numbers.call("add", 1)
    with pytest.raises(OverflowError):
        numbers.call("add", 2**40, 1)


def test_a_closed_instance_is_a_clear_error(runtime):
    instance = wasi_host.Sandbox(NUMBERS, runtime=runtime).instantiate()
    instance.close()
    instance.close()
    with pytest.raises(RuntimeError, match="closed"):
        instance.call("nothing")
    with pytest.raises(RuntimeError, match="closed"):
        instance.memory  # noqa: B018


def test_closing_a_running_instance_and_entering_it_twice_is_served_or_refused(runtime):
    source = module(
        '(func (export "read") (result i32) (i32.store (i32.const 4) (i32.const 10))'
        " (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))",
        '(func (export "seven") (result i32) (i32.const 7))',
        wasi=["fd_read"],
    )
    said = []

    def feeds(size):
        with pytest.raises(RuntimeError, match="running"):
            instance.close()
        if runtime == "wasmtime":
            said.append(instance.call("seven"))
        else:
            with pytest.raises(RuntimeError, match="call of its own"):
                instance.call("seven")
        return b""

    with wasi_host.Sandbox(source, runtime=runtime).instantiate(stdin=feeds) as instance:
        assert instance.call("read") == 0
        assert instance.call("seven") == 7


def test_runs_on_several_threads_are_not_mixed_up(run):
    def work(code):
        got.append(all(run(exits(code)).returncode == code for _ in range(10)))

    got = []
    threads = [threading.Thread(target=work, args=(code,)) for code in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [True] * 4


def test_runs_inside_a_callback_are_runs(run):
    got = []
    done = run(says("x"), capture_output=False, stdout=lambda data: got.append(run(exits(5))))
    assert (done.returncode, got[0].returncode) == (0, 5)


# ---- what cannot be -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "word"),
    [
        (module(), "_start"),
        (b'(module (func (export "_start")))', "memory"),
        (module(NOTHING, memory='(memory (export "memory") 1 1 shared)'), "shared"),
        (b'(module (import "env" "f" (func)) (memory (export "memory") 1))', "env.f"),
        (
            b"""(module (import "wasi_snapshot_preview1" "fd_close" (func (param i64)))
            (memory (export "memory") 1))""",
            "fd_close",
        ),
        (b"\0asm\1\0\0\0\1\xff", "not a valid module"),
    ],
    ids=["no command", "no memory", "shared memory", "a foreign import", "a wrong type", "corrupt"],
)
def test_what_cannot_be_run_is_told(run, source, word):
    with pytest.raises(wasi_host.NotAWasiModule, match=word):
        run(source)


def test_fuel_is_counted_or_refused(runtime, run):
    if runtime == "wasmtime":
        assert run(exits(3), limits=Limits(fuel=10_000)).usage.fuel > 0
    else:
        with pytest.raises(ValueError, match="counts no fuel"):
            run(exits(3), limits=Limits(fuel=10_000))


def test_a_pool_serves_on_every_engine(runtime):
    with wasi_host.Pool(wasi_host.Sandbox(ARGS, runtime=runtime), 2) as pool:
        assert [pool.run([word]).stdout for word in "ab"] == [b"module\0a\0", b"module\0b\0"]


def test_jobs_are_mapped_on_every_engine(runtime):
    sandbox = wasi_host.Sandbox(ARGS, runtime=runtime)
    assert [done.stdout[7:] for done in sandbox.map([["a"], ["b"]])] == [b"a\0", b"b\0"]


def test_an_engine_that_is_none_is_named_with_those_there_are():
    with pytest.raises(ValueError, match=r"'imagined'.*wasmtime, pywasm, pywasm3"):
        wasi_host.run([exits(0)], runtime="imagined")
    with pytest.raises(TypeError):
        wasi_host.Sandbox(exits(0), runtime=3)


@pytest.mark.parametrize("name", ["pywasm", "pywasm3"])
def test_an_engine_that_is_not_installed_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)
    with pytest.raises(ImportError, match=rf"wasi-host\[{name}\]"):
        wasi_host.run([wasi_host.Module(exits(0))], runtime=name)


def test_an_engine_that_cannot_be_stopped_says_so():
    pytest.importorskip("wasm3", reason="needs the extra 'pywasm3'")
    with pytest.warns(RuntimeWarning, match="cannot be stopped while it computes"):
        wasi_host.run([wasi_host.Module(exits(0))], runtime="pywasm3", timeout=60)


def test_a_plugin_is_an_engine(monkeypatch):
    from importlib import metadata

    points = metadata.EntryPoints([
        metadata.EntryPoint("mine", "wasi_host.runtimes.wasmtime_choice:compile_module",
                            "wasi_host.runtimes")
    ])  # fmt: skip
    monkeypatch.setattr(metadata, "entry_points", lambda **wanted: points.select(**wanted))
    assert engines.runtime_names() == ["wasmtime", "pywasm", "pywasm3", "mine"]
    assert wasi_host.run([exits(4)], runtime="mine").returncode == 4


# ---- engines of the embedder's ------------------------------------------------------------------


def test_a_pywasm_runtime_of_ones_own_takes_the_imports():
    pywasm = pytest.importorskip("pywasm", reason="needs the extra 'pywasm'")
    body, data = writes("hello")
    source = command(
        f"{body} (call $proc_exit (i32.const 300))", data, wasi=["fd_write", "proc_exit"]
    )
    with wasi_host.Wasi(["prog"], stdout=subprocess.PIPE) as wasi:
        runtime = pywasm.Runtime()
        runtime.imports.update(wasi.imports(runtime))
        description = pywasm.ModuleDesc.from_reader(io.BytesIO(wasi_host.Module(source).wasm))
        assert wasi.start(runtime.instance(description)) == 300
        assert (wasi.stdout, wasi.exit_code) == (b"hello", 300)


def test_a_wasm3_runtime_of_ones_own_takes_the_imports():
    wasm3 = pytest.importorskip("wasm3", reason="needs the extra 'pywasm3'")
    body, data = writes("hello")
    source = command(
        f"{body} (call $proc_exit (i32.const 300))", data, wasi=["fd_write", "proc_exit"]
    )
    with wasi_host.Wasi(["prog"], stdout=subprocess.PIPE) as wasi:
        environment = wasm3.Environment()
        runtime = environment.new_runtime(65_536)
        guest = environment.parse_module(wasi_host.Module(source).wasm)
        runtime.load(guest)
        for name, functions in wasi.imports(runtime).items():
            for field, item in functions.items():
                guest.link_function(name, field, *item)
        assert wasi.start(guest) == 300
        assert wasi.stdout == b"hello"


def test_imports_are_for_engines_that_are_known():
    with wasi_host.Wasi() as wasi, pytest.raises(TypeError, match=r"functions\(\)"):
        wasi.imports(object())
