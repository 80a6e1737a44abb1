"""Catalogue O 84 to 87, and I 64's kill and Ctrl-C: threads, signals, processes, re-entrancy."""

import contextlib
import os
import select
import subprocess
import threading

import pytest

import wasi_host
from tests.attacks.test_stops import WAITS, command
from tests.runtimes.children import child
from tests.runtimes.guests import command as program
from tests.runtimes.guests import module, run, writes
from tests.sandbox.programs import ENDLESS, exits, says

#: Exits with its first argument's length.
LENGTH = program(
    """(drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (call $proc_exit (i32.load (i32.const 20)))""",
    wasi=["args_sizes_get", "proc_exit"],
)
READS = module(
    '(func (export "read") (result i32) (i32.store (i32.const 4) (i32.const 10))'
    " (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))",
    '(func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))',
    wasi=["fd_read"],
)


def on_threads(count, work):
    """Call on so many threads; return what went wrong."""
    wrong = []

    def body(number):
        try:
            work(number)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=body, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


# 64


@pytest.mark.parametrize(("data", "name", "numbers"), WAITS.values(), ids=WAITS)
def test_i64_a_kill_ends(data, name, numbers):
    reader, other = os.pipe()
    drain, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writer, True)
    try:
        with wasi_host.spawn(
            [command(data, name, numbers)], stdin=reader, stdout=writer
        ) as guest:
            with pytest.raises(subprocess.TimeoutExpired):
                guest.wait(0.05)
            guest.kill()
            assert guest.wait(60) == -9
    finally:
        for fd in (reader, other, drain, writer):
            os.close(fd)


@pytest.mark.parametrize("name", ["sleeping in poll_oneoff", "blocked in a read"])
def test_i64_ctrl_c_ends(name):
    said = child(f"""
import os
from tests.sandbox.programs import ENDLESS
reader, writer = os.pipe()
def interrupt(data):
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    wasi_host.run([ENDLESS[{name!r}]], stdin=reader, stdout=interrupt)
except KeyboardInterrupt:
    print("interrupted")
""")
    assert said == ["interrupted"]


# 84


def test_o84_exit_codes_of_40000_runs_on_4_threads_are_not_mixed_up():
    with wasi_host.Pool(wasi_host.Sandbox(LENGTH), 4) as pool:

        def work(number):
            for count in range(10_000):
                size = (number * 7 + count) % 50
                assert pool.run(["x" * size], argv0="").returncode == size + 2

        assert on_threads(4, work) == []


def test_o84_exceptions_codes_and_traps_of_4_threads_are_not_mixed_up():
    sources = [exits(7), program("unreachable"), says("x"), ENDLESS["making calls"]]

    class Mine(Exception):
        pass

    def fails(data):
        raise Mine

    def work(number):
        for _ in range(200):
            if number == 0:
                assert run(sources[0]).returncode == 7
            elif number == 1:
                assert run(sources[1]).trap.cause == "unreachable"
            elif number == 2:
                with pytest.raises(Mine):
                    wasi_host.run([sources[2]], stdout=fails)
            else:
                assert run(sources[3], limits=wasi_host.Limits(calls=5)).stopped == "calls"

    assert on_threads(4, work) == []


def test_o84_one_instance_called_from_two_threads_is_refused_clearly():
    reader, writer = os.pipe()
    with wasi_host.Sandbox(READS).instantiate(stdin=reader) as instance:

        def read():
            while True:
                with contextlib.suppress(RuntimeError):  # the other thread was just calling
                    return instance.call("read")

        first = threading.Thread(target=read)
        first.start()
        refused = None
        while refused is None:
            first.join(0.001)  # let it in
            try:
                instance.call("add", 1, 2)
            except RuntimeError as error:
                refused = error
        assert "another thread" in str(refused)
        with pytest.raises(RuntimeError, match="another thread"):
            instance.close()
        os.write(writer, b"x")
        first.join()
        assert instance.call("add", 1, 2) == 3
    os.close(reader)
    os.close(writer)


# 85


@pytest.mark.parametrize("where", ["making calls", "computing", "sleeping in poll_oneoff"])
@pytest.mark.parametrize("handler", ["default", "own"])
def test_o85_a_signal_at_a_random_point_is_one_exception_each_time(where, handler):
    said = child(f"""
import os, random, time
from tests.sandbox.programs import ENDLESS
random.seed(85)
class Mine(Exception): pass
def raises(number, frame): raise Mine
if {handler!r} == "own":
    signal.signal(signal.SIGINT, raises)
expected = Mine if {handler!r} == "own" else KeyboardInterrupt
sandbox = wasi_host.Sandbox(ENDLESS[{where!r}])
caught = 0
for _ in range(100):
    armed = threading.Event()
    def strike():
        armed.wait()
        time.sleep(random.random() * 0.004)
        os.kill(os.getpid(), signal.SIGINT)
    thread = threading.Thread(target=strike)
    thread.start()
    try:
        armed.set()
        result = sandbox.run(stdout=wasi_host.DEVNULL, timeout=60)
        print("no exception", result)
    except expected:
        caught += 1
    thread.join()
print(caught)
""")
    assert said == ["100"]


# 86


def test_o86_a_child_forked_after_compiling_runs_compiles_and_has_other_random_bytes():
    said = child("""
import os, warnings
warnings.simplefilter("ignore")
from tests.runtimes.guests import command, writes
random = command(
    "(drop (call $random_get (i32.const 64) (i32.const 8)))"
    "(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 8))"
    "(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))",
    wasi=["random_get", "fd_write"])
draw = lambda: wasi_host.run([random], capture_output=True).stdout.hex()
said = [draw()]
for _ in range(3):
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        fresh = wasi_host.run([command("(drop (i32.const 7))")]).returncode
        late = wasi_host.run([command("(loop (br 0))")], limits=wasi_host.Limits(timeout=0.1))
        os.write(writer, f"{draw()} {fresh} {late.stopped}".encode())
        os._exit(0)
    os.waitpid(pid, 0)
    word, *ends = os.read(reader, 1000).decode().split()
    assert ends == ["0", "timeout"], ends
    said += [word, draw()]
print(len(said), len(set(said)), {len(word) for word in said})
""")
    assert said == ["7 7 {16}"]


@pytest.mark.parametrize("what", ["instance", "pool", "instance on a daemon thread"])
def test_o86_the_interpreter_ends_with_live_instances(what):
    said = child(f"""
from tests.sandbox.programs import NUMBERS, exits
kept = []
def make():
    kept.append(wasi_host.Sandbox(NUMBERS).instantiate())
    kept[-1].call("add", 1, 2)
    threading.Event().wait()
if {what!r} == "instance":
    kept.append(wasi_host.Sandbox(NUMBERS).instantiate())
elif {what!r} == "pool":
    kept.append(wasi_host.Pool(wasi_host.Sandbox(exits(3)), 2))
    kept[-1].run()
else:
    threading.Thread(target=make, daemon=True).start()
    threading.Event().wait(0.2)
print("the end", flush=True)
""", "-W", "error")
    assert said == ["the end"]


# 87


def test_o87_a_callback_may_run_another_sandbox():
    got = []

    def takes(data):
        got.extend((bytes(data), run(exits(9)).returncode))

    assert wasi_host.run([says("outer")], stdout=takes).returncode == 0
    assert got == [b"outer", 9]


def test_o87_a_callback_may_call_the_instance_that_called_it():
    def feeds(size):
        sums.append(instance.call("add", 20, 22))
        return b"x"

    sums = []
    with wasi_host.Sandbox(READS).instantiate(stdin=feeds) as instance:
        assert instance.call("read") == 0
        assert sums == [42]


def test_o87_a_callback_that_closes_the_running_instance_is_refused():
    def feeds(size):
        with pytest.raises(RuntimeError, match="running"):
            instance.close()
        return b"x"

    with wasi_host.Sandbox(READS).instantiate(stdin=feeds) as instance:
        assert instance.call("read") == 0
        assert instance.call("add", 1, 2) == 3


def test_o87_nested_runs_three_deep_keep_their_ends_apart():
    def nested(depth):
        def takes(data):
            codes.append(nested(depth - 1) if depth else run(exits(77)).returncode)

        body, text = writes("x")
        source = program(
            f"{body} (call $proc_exit (i32.const {depth}))", text, wasi=["fd_write", "proc_exit"]
        )
        return wasi_host.run([source], stdout=takes).returncode

    codes = []
    assert nested(2) == 2
    assert codes == [77, 0, 1]


def test_o87_a_killed_guest_does_not_end_the_one_that_runs_inside_its_callback():
    reader, writer = os.pipe()
    inner = []

    def takes(data):
        os.write(writer, b"x")
        select.select([go], [], [])
        inner.append(run(exits(5)).returncode)

    go, gone = os.pipe()
    with wasi_host.spawn([ENDLESS["making calls"]], stdout=takes) as guest:
        os.read(reader, 1)
        guest.kill()
        os.write(gone, b"x")
        assert guest.wait(60) == -9
    assert inner == [5]
    for fd in (reader, writer, go, gone):
        os.close(fd)
