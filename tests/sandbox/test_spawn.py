"""``spawn``: a guest with live pipes, which is polled, waited for, talked to and killed."""

import gc
import os
import select
import subprocess
import threading

import pytest

import wasi_host
from tests.runtimes.children import child
from tests.runtimes.guests import command
from tests.sandbox.programs import ARGS, BOTH, CAT, ENDLESS, ENVIRON, WASI, exits, says
from wasi_host import DEVNULL, PIPE

TRAPS = command("unreachable")
#: Writes one byte after the other, for ever.
FLOOD = command(
    """(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1000))
    (loop (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br 0))""",
    wasi=WASI,
)


@pytest.fixture
def silent():
    """A pipe to read from in which nothing ever comes."""
    read, write = os.pipe()
    yield read
    os.close(read)
    os.close(write)


def cat(**keywords):
    return wasi_host.spawn([CAT], stdin=PIPE, stdout=PIPE, **keywords)


# ---- live pipes -------------------------------------------------------------------------------


def test_what_is_written_comes_back_while_the_guest_runs():
    with cat() as guest:
        for line in (b"one\n", b"two\n"):
            guest.stdin.write(line)
            guest.stdin.flush()
            assert guest.stdout.readline() == line
            assert guest.poll() is None
        guest.stdin.close()
        assert guest.stdout.read() == b""
        assert guest.wait() == 0


def test_in_text_mode_pipes_take_and_give_text():
    with cat(text=True) as guest:
        guest.stdin.write("ä\r\n")
        guest.stdin.close()
        assert guest.stdout.read() == "ä\n"


def test_an_encoding_of_ones_own_is_spoken_on_the_pipes():
    with cat(encoding="latin-1") as guest:
        assert guest.communicate("ä") == ("ä", None)
        assert guest.stdout.encoding == "latin-1"


def test_a_pipe_can_be_waited_for_with_select():
    with cat() as guest:
        assert select.select([guest.stdout], [], [], 0)[0] == []
        guest.stdin.write(b"x")
        guest.stdin.flush()
        assert select.select([guest.stdout], [], [], 60)[0] == [guest.stdout]


def test_standard_error_has_a_pipe_of_its_own():
    with wasi_host.spawn([BOTH], stdout=PIPE, stderr=PIPE) as guest:
        assert guest.communicate() == (b"out\n", b"err\n")
        assert guest.stdin is None


def test_standard_error_may_join_standard_output():
    with wasi_host.spawn([BOTH], stdout=PIPE, stderr=wasi_host.STDOUT) as guest:
        assert guest.communicate() == (b"out\nerr\n", None)


def test_one_guest_feeds_another():
    with (
        wasi_host.spawn([says("through\n")], stdout=PIPE) as first,
        wasi_host.spawn([CAT], stdin=first.stdout, stdout=PIPE) as second,
    ):
        assert second.communicate()[0] == b"through\n"


def test_a_guest_whose_reader_is_gone_goes_on():
    with cat() as guest:
        guest.stdout.close()
        guest.stdin.write(b"nobody reads this")
        guest.stdin.close()
        assert guest.wait(60) == 0


def test_leaving_the_context_does_not_wait_for_what_the_guest_will_not_read():
    with wasi_host.spawn([exits(3)], stdin=PIPE) as guest:
        assert guest.wait(60) == 3
        guest.stdin.write(b"too late")
    assert guest.returncode == 3


# ---- ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 7, 2**32 - 1])
def test_the_exit_code_is_returned_and_kept(code):
    guest = wasi_host.spawn([exits(code)])
    assert (guest.wait(60), guest.poll(), guest.returncode) == (code, code, code)


def test_a_trap_is_minus_6_and_the_result_has_it():
    with wasi_host.spawn([TRAPS]) as guest:
        assert guest.wait(60) == -6
        assert guest.result.trap.cause == "unreachable"


def test_the_result_of_a_guest_that_runs_is_an_error(silent):
    with wasi_host.spawn([ENDLESS["blocked in a read"]], stdin=silent, stdout=DEVNULL) as guest:
        with pytest.raises(RuntimeError, match="runs still"):
            guest.result  # noqa: B018
        guest.kill()


@pytest.mark.parametrize("how", ["kill", "terminate"])
@pytest.mark.parametrize("name", ENDLESS)
def test_a_guest_is_killed_whatever_it_does(name, how, silent):
    with wasi_host.spawn([ENDLESS[name]], stdin=silent, stdout=PIPE) as guest:
        if "start section" not in name:
            assert guest.stdout.readline() == b"out\n"
        getattr(guest, how)()
        assert guest.wait(60) == -9
        assert guest.result.stopped == "killed"


def test_a_guest_blocked_in_a_full_pipe_is_killed():
    with wasi_host.spawn([FLOOD], stdout=PIPE) as guest:
        assert select.select([guest.stdout], [], [], 60)[0]
        guest.kill()
        assert guest.wait(60) == -9


def test_killing_what_has_ended_changes_nothing():
    guest = wasi_host.spawn([exits(3)])
    guest.wait(60)
    guest.kill()
    assert (guest.returncode, guest.result.stopped) == (3, None)


def test_killing_one_guest_leaves_another_of_the_module(silent):
    source = ENDLESS["computing"]
    with (
        wasi_host.spawn([source], stdout=DEVNULL) as one,
        wasi_host.spawn([source], stdout=DEVNULL) as other,
    ):
        one.kill()
        assert one.wait(60) == -9
        assert other.poll() is None
        other.kill()


def test_a_wait_has_a_timeout_and_the_guest_goes_on(silent):
    with wasi_host.spawn([ENDLESS["computing"]], stdout=DEVNULL) as guest:
        with pytest.raises(subprocess.TimeoutExpired) as expired:
            guest.wait(0.05)
        assert expired.value.timeout == 0.05
        assert guest.poll() is None
        guest.kill()


@pytest.mark.parametrize("how", ["keyword", "limits"])
@pytest.mark.parametrize("name", ENDLESS)
def test_a_timeout_ends_a_spawned_guest(name, how, silent):
    keywords = {"timeout": 0.1} if how == "keyword" else {"limits": wasi_host.Limits(timeout=0.1)}
    with wasi_host.spawn([ENDLESS[name]], stdin=silent, stdout=DEVNULL, **keywords) as guest:
        assert guest.wait(60) == -9
        assert guest.result.stopped == "timeout"


def test_leaving_the_context_by_an_exception_kills_the_guest(silent):
    guest = wasi_host.spawn([ENDLESS["computing"]], stdin=PIPE, stdout=PIPE)
    with pytest.raises(ZeroDivisionError), guest:
        raise ZeroDivisionError
    assert (guest.returncode, guest.result.stopped) == (-9, "killed")
    assert guest.stdin.closed
    assert guest.stdout.closed


def test_the_exception_of_a_stream_comes_out_of_wait():
    def fails(data):
        raise LookupError(data)

    guest = wasi_host.spawn([says("text")], stdout=fails)
    for _ in range(2):
        with pytest.raises(LookupError, match="text"):
            guest.wait(60)
    with pytest.raises(LookupError):
        guest.result  # noqa: B018


# ---- communicate ------------------------------------------------------------------------------


def test_communicate_does_not_deadlock_on_more_than_pipes_take():
    data = os.urandom(1 << 20)
    with cat() as guest:
        assert guest.communicate(data) == (data, None)
        assert guest.returncode == 0


def test_communicate_without_input_gives_an_end_of_input():
    with cat() as guest:
        assert guest.communicate() == (b"", None)


def test_communicate_takes_input_that_the_guest_does_not_want():
    with wasi_host.spawn([exits(3)], stdin=PIPE) as guest:
        assert guest.communicate(bytes(1 << 20)) == (None, None)
        assert guest.returncode == 3


def test_communicate_that_timed_out_can_be_called_again():
    with wasi_host.spawn([ENDLESS["computing"]], stdout=PIPE) as guest:
        with pytest.raises(wasi_host.TimeoutExpired) as expired:
            guest.communicate(timeout=0.2)
        assert expired.value.stdout == b"out\n"
        guest.kill()
        assert guest.communicate(timeout=60) == (b"out\n", None)
        assert guest.returncode == -9


def test_communicate_after_the_end_gives_the_same_again():
    with cat() as guest:
        assert guest.communicate(b"once") == guest.communicate() == (b"once", None)


def test_input_without_a_pipe_is_refused():
    with wasi_host.spawn([exits(0)]) as guest, pytest.raises(ValueError, match="no pipe"):
        guest.communicate(b"x")


def test_text_for_a_pipe_of_bytes_is_refused():
    with cat() as guest:
        with pytest.raises(TypeError, match="text=True"):
            guest.communicate("text")
        guest.kill()


# ---- what is given ----------------------------------------------------------------------------


def test_arguments_environment_and_directories_are_those_of_run():
    with wasi_host.spawn([ARGS, "a", "b"], argv0="me", stdout=PIPE) as guest:
        assert guest.communicate()[0] == b"me\0a\0b\0"
    with wasi_host.spawn([ENVIRON], env={"A": "1"}, stdout=PIPE) as guest:
        assert guest.communicate()[0] == b"A=1\0"
    assert guest.args == [ENVIRON]


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("input", b""), ("capture_output", True), ("check", True), ("invoke", "f"), ("shell", True)],
)
def test_what_cannot_be_meant_is_a_type_error(keyword, value):
    with pytest.raises(TypeError, match=keyword):
        wasi_host.spawn([CAT], **{keyword: value})


def test_what_cannot_be_started_raises_at_once_and_leaves_no_descriptors():
    gc.collect()  # what earlier tests left must not be closed in between
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with pytest.raises(FileNotFoundError):
        wasi_host.spawn(["/missing.wasm"], stdin=PIPE, stdout=PIPE)
    with pytest.raises(TypeError):
        wasi_host.spawn([CAT], stdin=PIPE, stdout=PIPE, imagined=1)
    with pytest.raises(ValueError, match="NUL"):
        wasi_host.spawn([CAT, "a\0b"], stdin=PIPE, stdout=PIPE)
    if before:
        assert len(os.listdir("/proc/self/fd")) == before


def test_many_guests_leave_no_descriptors_and_no_threads():
    def once():
        with cat() as guest:
            guest.communicate(b"x")

    once()
    gc.collect()  # what earlier tests left must not be closed in between
    files, threads = "/proc/self/fd", threading.active_count()
    before = len(os.listdir(files)) if os.path.isdir(files) else 0
    for _ in range(20):
        once()
    assert threading.active_count() == threads
    if before:
        assert len(os.listdir(files)) == before


# ---- the main thread and the interpreter's end --------------------------------------------------


def test_ctrl_c_in_wait_is_a_keyboard_interrupt_and_kills_the_guest():
    said = child("""
import os
from tests.sandbox.programs import ENDLESS
guest = wasi_host.spawn([ENDLESS["computing"]], stdout=wasi_host.DEVNULL)
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    with guest:
        guest.wait()
except KeyboardInterrupt:
    print(guest.returncode, guest.result.stopped)
""")
    assert said == ["-9 killed"]


@pytest.mark.parametrize("how", ["spawned", "on daemon threads"])
def test_the_interpreter_ends_while_guests_run(how):
    said = child(f"""
import os
from tests.sandbox.programs import ENDLESS
reader, writer = os.pipe()
for name, source in ENDLESS.items():
    words = dict(stdin=reader, stdout=wasi_host.DEVNULL)
    if {how!r} == "spawned":
        wasi_host.spawn([source], **words)
    else:
        threading.Thread(
            target=wasi_host.run, args=([source],), kwargs=words, daemon=True).start()
threading.Event().wait(0.3)
print("the end", flush=True)
""")
    assert said == ["the end"]
