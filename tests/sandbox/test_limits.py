"""Each limit ends a run, or answers it; the result says which did.

Beside each is the same program without the limit, or with the least one that it keeps to.
"""

import os
import threading

import pytest

import wasi_host
from tests.runtimes.children import child
from tests.runtimes.guests import command, module, run
from tests.sandbox.programs import CREATE, ENDLESS, OPEN_MANY, WASI, exits, says
from wasi_host import Limits
from wasi_spec import Errno

#: Grows its memory a page at a time until it is refused; exits with the pages it has.
GROWS = command(
    """(loop $more (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 1)))))
    (call $proc_exit (memory.size))""",
    wasi=["proc_exit"],
    memory='(memory (export "memory") 1 100)',
)
#: The same with a table, a thousand entries at a time, up to 10,000.
GROWS_TABLE = command(
    """(loop $more (br_if $more
      (i32.ne (i32.const -1) (table.grow $t (ref.null func) (i32.const 1000)))))
    (call $proc_exit (table.size $t))""",
    "(table $t 0 10000 funcref)",
    wasi=["proc_exit"],
)
#: Counts to 1,000 and exits with that.
COUNTS = command(
    """(local $n i32)
    (loop $more (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $n) (i32.const 1000))))
    (call $proc_exit (local.get $n))""",
    wasi=["proc_exit"],
)
#: Makes ten calls and exits with 0.
YIELDS = command("(drop (call $sched_yield))" * 10, wasi=["sched_yield"])
DEEP = command(
    "(drop (call $deep (i32.const 20000)))",
    """(func $deep (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
        (else (i32.const 0))))""",
)


# ---- time -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENDLESS)
def test_a_timeout_among_the_limits_ends_a_run_and_is_told(name):
    reader, writer = os.pipe()  # nothing ever comes
    try:
        done = run(ENDLESS[name], stdin=reader, limits=Limits(timeout=0.1))
    finally:
        os.close(reader)
        os.close(writer)
    assert (done.returncode, done.stopped) == (-9, "timeout")
    assert done.stdout == (b"" if "start section" in name else b"out\n")


def test_of_two_timeouts_the_earlier_ends_the_run():
    done = run(ENDLESS["computing"], timeout=60, limits=Limits(timeout=0.1))
    assert done.stopped == "timeout"
    with pytest.raises(wasi_host.TimeoutExpired) as expired:
        run(ENDLESS["computing"], timeout=0.1, limits=Limits(timeout=60))
    assert expired.value.result.stopped == "timeout"


def test_no_timer_thread_is_there_where_no_limit_asks_for_one():
    said = child("""
from tests.sandbox.programs import exits
names = lambda: {thread.name for thread in threading.enumerate()} - {"wasi_host signals"}
limits = wasi_host.Limits(fuel=10**6, calls=100)
for keywords in ({}, {"limits": limits}):
    assert wasi_host.run([exits(3)], **keywords).returncode == 3
with wasi_host.Pool(wasi_host.Sandbox(exits(3)), 1) as pool:
    pool.run()
print(names() == {"MainThread"})
for _ in range(3):
    wasi_host.run([exits(3)], timeout=60)
    wasi_host.run([exits(3)], limits=wasi_host.Limits(timeout=60))
print(sorted(names()))
""")
    assert said == ["True", "['MainThread', 'wasi_host deadlines']"]


# ---- fuel and calls ---------------------------------------------------------------------------


def test_fuel_ends_a_guest_that_computes():
    done = run(COUNTS, limits=Limits(fuel=500))
    assert (done.returncode, done.stopped, done.usage.fuel) == (-9, "fuel", 500)
    assert run(ENDLESS["computing"], limits=Limits(fuel=10_000)).stopped == "fuel"


def test_a_guest_with_fuel_enough_ends_by_itself_and_what_it_used_is_told():
    done = run(COUNTS, limits=Limits(fuel=100_000))
    assert (done.returncode, done.stopped) == (1000, None)
    assert 1000 < done.usage.fuel < 100_000
    assert run(COUNTS, limits=Limits(fuel=done.usage.fuel)).stopped is None
    assert run(COUNTS, limits=Limits(fuel=done.usage.fuel // 2)).stopped == "fuel"
    assert run(COUNTS).usage.fuel is None


def test_fuel_ends_a_start_section():
    done = run(ENDLESS["computing in its start section"], limits=Limits(fuel=10_000))
    assert done.stopped == "fuel"


def test_each_run_of_a_sandbox_has_all_the_fuel():
    sandbox = wasi_host.Sandbox(COUNTS, limits=Limits(fuel=100_000))
    used = {sandbox.run().usage.fuel for _ in range(5)}
    assert len(used) == 1


def test_calls_beyond_the_limit_end_a_run():
    done = run(YIELDS, limits=Limits(calls=9))
    assert (done.returncode, done.stopped, done.usage.calls) == (-9, "calls", 9)
    done = run(YIELDS, limits=Limits(calls=10))
    assert (done.returncode, done.stopped, done.usage.calls) == (0, None, 10)
    assert run(YIELDS).usage.calls is None
    assert run(YIELDS, limits=Limits(calls=0)).stopped == "calls"


# ---- memory -----------------------------------------------------------------------------------


def test_memory_grows_to_the_limit_and_the_guest_is_told():
    done = run(GROWS, limits=Limits(memory=50 * 65_536))
    assert (done.returncode, done.usage.memory) == (50, 50 * 65_536)
    assert run(GROWS).returncode == 100


def test_a_table_counts_8_bytes_an_entry():
    assert run(GROWS_TABLE, limits=Limits(memory=65_536)).returncode == 8_000
    assert run(GROWS_TABLE).returncode == 10_000


def test_a_module_that_starts_larger_is_refused():
    source = module('(func (export "_start"))', memory='(memory (export "memory") 50)')
    with pytest.raises(wasi_host.NotAWasiModule, match="memory"):
        run(source, limits=Limits(memory=49 * 65_536))
    assert run(source, limits=Limits(memory=50 * 65_536)).returncode == 0


def test_recursion_over_the_stack_is_a_trap():
    assert run(DEEP, limits=Limits(stack=65_536)).trap.cause == "stack overflow"
    assert run(DEEP, limits=Limits(stack=8 << 20)).returncode == 0


# ---- output, files and descriptors --------------------------------------------------------------


def test_output_over_the_limit_is_cut_and_the_guest_goes_on():
    source = command(
        """(local $n i32)
        (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 10))
        (loop $more
          (if (i32.or
                (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
                (i32.ne (i32.const 10) (i32.load (i32.const 8)))) (then unreachable))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $more (i32.lt_u (local.get $n) (i32.const 100))))""",
        '(data (i32.const 64) "0123456789")',
        wasi=WASI,
    )
    done = run(source, limits=Limits(output=25))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"0123456789" * 2 + b"01234", b"")
    assert (done.truncated, done.limits_hit) == ({"stdout"}, {"output"})
    done = run(source, limits=Limits(output=1000))
    assert (len(done.stdout), done.truncated, done.limits_hit) == (1000, set(), set())


def test_text_cut_within_a_character_ends_before_it():
    text = "aä€"
    for limit, kept in enumerate(["", "a", "a", "aä", "aä", "aä", "aä€"]):
        done = run(says(text), limits=Limits(output=limit), text=True)
        assert (done.stdout, done.truncated) == (kept, {"stdout"} if limit < 6 else set())


def test_output_that_is_not_captured_has_no_limit(tmp_path):
    path = tmp_path / "out"
    with open(path, "wb") as file:
        done = run(says("0123456789"), capture_output=False, stdout=file, limits=Limits(output=3))
    assert (path.read_bytes(), done.truncated) == (b"0123456789", set())


def test_open_descriptors_are_limited_and_the_limit_named():
    done = run(OPEN_MANY, dirs={"/": {"file": b""}}, limits=Limits(open_files=20))
    assert (done.returncode, done.limits_hit) == (16, {"open_files"})


def test_inodes_are_limited_and_the_limit_named():
    done = run(CREATE, dirs={"/": {}}, limits=Limits(inodes=0))
    assert (done.returncode, done.limits_hit) == (Errno.DQUOT, {"inodes"})
    assert run(CREATE, dirs={"/": {}}, limits=Limits(inodes=1)).limits_hit == set()


# ---- all of them --------------------------------------------------------------------------------


def test_a_run_within_its_limits_hits_none():
    done = run(exits(3), limits=Limits(timeout=60, fuel=10**6, calls=10))
    assert (done.returncode, done.stopped, done.limits_hit) == (3, None, frozenset())


@pytest.mark.parametrize("how", ["pool", "spawn", "map"])
@pytest.mark.parametrize(
    ("limit", "stopped"),
    [({"timeout": 0.1}, "timeout"), ({"fuel": 10_000}, "fuel"), ({"calls": 3}, "calls")],
    ids=["timeout", "fuel", "calls"],
)
def test_limits_bind_however_a_guest_is_run(how, limit, stopped):
    sandbox = wasi_host.Sandbox(ENDLESS["making calls"], limits=Limits(**limit))
    if how == "pool":
        with wasi_host.Pool(sandbox, 1) as pool:
            done = pool.run()
    elif how == "map":
        (done,) = sandbox.map([[]])
    else:
        with wasi_host.spawn(
            [sandbox.module], limits=Limits(**limit), stdout=wasi_host.DEVNULL
        ) as guest:
            guest.wait()
            done = guest.result
    assert (done.returncode, done.stopped) == (-9, stopped)


def test_a_checked_run_that_a_limit_ended_says_which():
    with pytest.raises(wasi_host.RunError, match="fuel") as raised:
        run(ENDLESS["computing"], limits=Limits(fuel=10), check=True)
    assert raised.value.result.stopped == "fuel"


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("memory", 65_535, ValueError),
        ("stack", 0, ValueError),
        ("stack", 2**31, ValueError),
        ("output", -1, ValueError),
        ("open_files", 2, ValueError),
        ("fuel", -1, ValueError),
        ("fuel", 2**64, ValueError),
        ("calls", -1, ValueError),
        ("timeout", -0.1, ValueError),
        ("timeout", float("nan"), ValueError),
        ("timeout", "1", TypeError),
        ("memory", 1e9, TypeError),
        ("fuel", "1", TypeError),
    ],
)
def test_a_limit_out_of_range_is_refused_with_its_name(name, value, error):
    with pytest.raises(error, match=name):
        Limits(**{name: value})
    with pytest.raises(error, match=name):
        Limits()._replace(**{name: value})


def test_limits_of_many_runs_do_not_mix():
    def work(code, limit, wanted):
        for _ in range(20):
            got.append(run(COUNTS, limits=Limits(fuel=limit)).stopped == wanted)

    got = []
    threads = [
        threading.Thread(target=work, args=item)
        for item in ((0, 100, "fuel"), (1, 100_000, None), (2, 200, "fuel"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [True] * 60


@pytest.mark.parametrize("way", ["run", "pool", "invoke"])
def test_a_memory_that_grew_as_far_as_it_may_is_told(way):
    grow = "(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))"
    limits = wasi_host.Limits(memory=10 * 65536)

    def hit(body):
        source = command(body, f'(func (export "f") {body})')
        if way == "run":
            return run(source, limits=limits).limits_hit
        if way == "invoke":
            return run(source, limits=limits, invoke="f").limits_hit
        with wasi_host.Pool(wasi_host.Sandbox(source, limits=limits)) as pool:
            return pool.run().limits_hit

    assert hit(grow) == {"memory"}
    assert hit("(drop (memory.grow (i32.const 5)))") == frozenset()


def test_a_memory_that_is_at_its_limit_from_the_start_is_not_told():
    assert run(command("nop"), limits=wasi_host.Limits(memory=65536)).limits_hit == frozenset()
