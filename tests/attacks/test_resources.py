"""Catalogue J 67, L 73, M 79, N 80 to 82 and P 90: what a guest may use up, and what ends it."""

import io
import tracemalloc

import pytest

import wasi_host
from tests.attacks.guest import CREAT
from tests.runtimes.children import child
from tests.runtimes.guests import command, module, run
from tests.sandbox.programs import ENDLESS, says
from wasi_host import Limits
from wasi_spec import Errno

PAGE = 65_536


def writes_bytes(count, descriptor=1):
    """A program that writes so many bytes, one at a time, and traps where one is not taken."""
    return command(
        f"""(local $n i32)
        (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1))
        (loop $more
          (if (call $fd_write (i32.const {descriptor}) (i32.const 0) (i32.const 1) (i32.const 8))
            (then unreachable))
          (local.set $n (i32.add (local.get $n) (i32.load (i32.const 8))))
          (br_if $more (i32.lt_u (local.get $n) (i32.const {count}))))""",
        wasi=["fd_write"],
    )


# 67


def test_j67_a_flood_of_output_is_cut_at_its_head_and_the_guest_goes_on():
    done = run(writes_bytes(100_000), limits=Limits(output=1000))
    assert (done.returncode, done.stdout, done.truncated) == (0, bytes(1000), {"stdout"})


def test_j67_the_cut_stream_is_named_and_the_other_is_whole():
    done = run(writes_bytes(2000, descriptor=2), limits=Limits(output=1000))
    assert (len(done.stderr), done.stdout, done.truncated) == (1000, b"", {"stderr"})


def test_j67_a_flood_of_tiny_writes_takes_bounded_memory():
    source = writes_bytes(100_000)
    run(source)
    tracemalloc.start()
    try:
        run(source, limits=Limits(output=10_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 500_000


# 73


def test_l73_yielding_sees_the_deadline():
    with pytest.raises(wasi_host.TimeoutExpired):
        run(ENDLESS["making calls"], timeout=0.05)


# 79


@pytest.mark.parametrize(
    ("part", "memory", "word"),
    [
        ("", '(memory (export "memory") 3)', "memory"),
        ("(table 30000 funcref)", '(memory (export "memory") 1)', "table"),
    ],
    ids=["memory", "table"],
)
def test_m79_a_memory_or_table_larger_than_the_limit_is_refused_with_its_name(part, memory, word):
    source = module(part, '(func (export "_start"))', memory=memory)
    with pytest.raises(wasi_host.NotAWasiModule, match=rf"{word}.*Limits\.memory"):
        run(source, limits=Limits(memory=2 * PAGE))
    with (
        pytest.raises(wasi_host.NotAWasiModule, match=r"Limits\.memory"),
        wasi_host.Sandbox(source, limits=Limits(memory=2 * PAGE)).instantiate(),
    ):
        pass
    assert run(source, limits=Limits(memory=4 * PAGE)).returncode == 0


# 80


def test_n80_arguments_of_a_mebibyte_are_served():
    source = command(
        """(drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
        (if (call $args_get (i32.const 64) (i32.const 65536)) (then unreachable))
        (call $proc_exit (i32.add (i32.load (i32.const 20)) (i32.load8_u (i32.const 1000000))))""",
        wasi=["args_sizes_get", "args_get", "proc_exit"],
        memory='(memory (export "memory") 32)',
    )
    done = run(source, "x" * (1 << 20), argv0="a")
    assert done.returncode == (1 << 20) + 1 + 2 + ord("x")


def test_n80_an_ever_growing_file_ends_at_the_limit_and_the_limit_is_named():
    source = command(
        """(if (call $path_open (i32.const 3) (i32.const 0) (i32.const 500) (i32.const 1)
              (i32.const 1) (i64.const 0x40) (i64.const 0) (i32.const 0) (i32.const 16))
          (then unreachable))
        (i32.store (i32.const 4) (i32.const 60000))
        (loop $more (br_if $more (i32.eqz
          (call $fd_write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))))
        (call $proc_exit
          (call $fd_write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))""",
        '(data (i32.const 500) "f")',
        wasi=["path_open", "fd_write", "proc_exit"],
    )
    done = run(source, dirs={"/": {}}, limits=Limits(fs_bytes=1 << 20))
    assert (done.returncode, done.limits_hit) == (Errno.DQUOT, {"fs_bytes"})


def test_n80_directories_too_deep_to_be_named_are_nametoolong(start, memory_only):
    guest = start(memory_only)
    path = "d" * 200
    while (errno := guest.call("path_create_directory", 3, path)) is Errno.SUCCESS:
        path += "/" + "d" * 200
    assert errno is Errno.NAMETOOLONG
    assert len(path) > 4095


def test_n80_a_forest_of_links_is_loop_and_ends(start, memory_only):
    guest = start(memory_only)
    guest.must("path_symlink", ".", 3, "l0")
    for number in range(1, 30):
        # Each goes through the one before it twice: walked naively, 2^30 steps.
        guest.must("path_symlink", f"l{number - 1}/l{number - 1}", 3, f"l{number}")
    assert guest.try_open("l29/file", oflags=CREAT) is Errno.LOOP


# 81


def test_n81_memory_grows_to_the_limit_and_the_guest_goes_on():
    source = command(
        """(loop $more (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 1)))))
        (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4))
          (memory.size))
        (call $proc_exit (memory.size))""",
        wasi=["proc_exit"],
        memory='(memory (export "memory") 1)',
    )
    assert run(source, limits=Limits(memory=40 * PAGE)).returncode == 40


@pytest.mark.parametrize("name", ["computing", "making calls"])
def test_n81_a_guest_that_spins_is_ended_by_the_deadline(name):
    assert run(ENDLESS[name], limits=Limits(timeout=0.05)).stopped == "timeout"


def test_n81_a_guest_that_spins_in_tiny_polls_is_ended_by_the_deadline():
    source = command(
        """(i32.store (i32.const 716) (i32.const 1)) (i64.store (i32.const 724) (i64.const 1))
        (loop (drop (call $poll_oneoff (i32.const 700) (i32.const 800) (i32.const 1)
          (i32.const 900))) (br 0))""",
        wasi=["poll_oneoff"],
    )
    assert run(source, limits=Limits(timeout=0.05)).stopped == "timeout"


# 82


def test_n82_what_is_beyond_the_limits_of_compilers_is_refused():
    source = module(f'(func (export "_start") (local {"i64 " * 50_001}))')
    with pytest.raises(wasi_host.NotAWasiModule, match="locals"):
        run(source)


@pytest.mark.parametrize(
    "bomb",
    [
        """wasi_host.Module(b'(module (memory (export "memory") 1) (func (export "_start")'
           + b'(block ' * 20_000 + b')' * 20_000 + b'))', cache=False)""",
        """wasi_host.Module(b'(module (memory (export "memory") 1) (func (export "_start"))'
           + b''.join(b'(type (func (param %s)))' % (b'i64 ' * n) for n in range(500))
           + b')', cache=False)""",
        """wasi_host.Module(b'(module (memory (export "memory") 1) (func (export "_start")'
           + b'(drop (i32.add (i32.const 1) (i32.const 2)))' * 20_000 + b'))', cache=False)""",
    ],
    ids=["blocks in blocks", "many types", "a huge function"],
)
def test_n82_a_module_made_to_be_hard_to_compile_ends_as_a_module_or_is_refused(bomb):
    said = child(f"""
try:
    print(wasi_host.run([{bomb}]).returncode)
except wasi_host.NotAWasiModule:
    print("refused")
""")
    assert said in (["0"], ["refused"])


# 90


def test_p90_a_recording_cut_short_is_replayed_to_where_it_ends_and_then_told():
    file = io.BytesIO()
    source = command(
        "(drop (call $random_get (i32.const 0) (i32.const 8)))" * 5, wasi=["random_get"]
    )
    run(source, layers=[wasi_host.record(file)])
    whole = file.getvalue()
    assert run(source, layers=[wasi_host.replay(io.BytesIO(whole))]).returncode == 0
    for cut in (len(whole) // 2, len(whole) * 2 // 3):
        with pytest.raises(wasi_host.Divergence, match=r"(?i)(cut|ends|end)"):
            run(source, layers=[wasi_host.replay(io.BytesIO(whole[:cut]))])


def test_p90_a_policy_hook_that_raises_denies_and_the_embedder_gets_the_exception():
    def hook(call):
        raise LookupError(call.function)

    source = command(
        "(call $proc_exit (call $random_get (i32.const 0) (i32.const 8)))",
        wasi=["random_get", "proc_exit"],
    )
    trace = wasi_host.Trace()
    with pytest.raises(LookupError, match="random_get"):
        run(source, layers=[wasi_host.policy(before=hook)], trace=trace)
    assert "PERM" in str(trace)


def test_p90_a_hook_that_raises_lets_no_call_through():
    def hook(call):
        raise LookupError

    out = []
    with pytest.raises(LookupError):
        wasi_host.run([says("x")], stdout=out.append, layers=[wasi_host.policy(before=hook)])
    assert out == []
