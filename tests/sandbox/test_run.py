"""``run`` is ``subprocess.run``: streams, text, input, and the same mistakes."""

import io
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import wasi_host
from tests.runtimes.guests import command, module, run, writes
from tests.sandbox.programs import (
    ARGS,
    BOTH,
    CAT,
    ENVIRON,
    READ_ERRNO,
    WRITE_ERRNO,
    exits,
    says,
)
from wasi_spec import Errno

DEVNULL, PIPE, STDOUT = subprocess.DEVNULL, subprocess.PIPE, subprocess.STDOUT
NOTHING = [sys.executable, "-c", ""]


# ---- the result -------------------------------------------------------------------------------


def test_a_run_gives_a_completed_process():
    result = run(BOTH, "a", "b")
    assert isinstance(result, subprocess.CompletedProcess)
    assert (result.args, result.returncode) == ([BOTH, "a", "b"], 0)
    assert (result.stdout, result.stderr) == (b"out\n", b"err\n")
    assert (result.stopped, result.trap, result.limits_hit) == (None, None, frozenset())


def test_usage_is_the_memory_at_the_end_and_the_time():
    grows = command("(drop (memory.grow (i32.const 2)))")
    usage = run(grows).usage
    assert usage.memory == 3 * 65536
    assert usage.seconds > 0


def test_usage_of_a_trapped_run_has_its_memory_too():
    assert run(command("unreachable")).usage.memory == 65536


def test_a_result_pickles():
    result = run(command("unreachable"))
    again = pickle.loads(pickle.dumps(result))
    assert (again.returncode, again.trap.cause) == (-6, "unreachable")
    assert again.trap.message == result.trap.message


# ---- output -----------------------------------------------------------------------------------


def test_outputs_can_be_captured_one_by_one():
    result = run(BOTH, capture_output=False, stdout=PIPE, stderr=DEVNULL)
    assert (result.stdout, result.stderr) == (b"out\n", None)
    result = run(BOTH, capture_output=False, stdout=DEVNULL, stderr=PIPE)
    assert (result.stdout, result.stderr) == (None, b"err\n")


def test_error_output_can_join_the_output():
    result = run(BOTH, capture_output=False, stdout=PIPE, stderr=STDOUT)
    assert (result.stdout, result.stderr) == (b"out\nerr\n", None)


@pytest.mark.parametrize("kind", ["binary", "descriptor", "path", "text path"])
def test_output_goes_to_a_file(kind, tmp_path):
    path = tmp_path / "out"
    with open(path, "wb") as file:
        sinks = {"binary": file, "descriptor": file.fileno(), "path": path, "text path": str(path)}
        run(BOTH, capture_output=False, stdout=sinks[kind], stderr=DEVNULL)
    assert path.read_bytes() == b"out\n"


def test_what_the_embedder_wrote_to_a_file_before_comes_before(tmp_path):
    with open(tmp_path / "out", "w") as file:
        file.write("before ")
        run(BOTH, capture_output=False, stdout=file, stderr=STDOUT)
        file.write("after")
    assert (tmp_path / "out").read_text() == "before out\nerr\nafter"


@pytest.mark.parametrize("sink", [io.BytesIO, io.StringIO])
def test_output_goes_to_a_file_object(sink):
    file = sink()
    run(BOTH, capture_output=False, stdout=file, stderr=STDOUT)
    assert file.getvalue() in (b"out\nerr\n", "out\nerr\n")
    assert not file.closed


def test_output_goes_to_a_function_as_bytes_it_may_keep():
    kept = []
    run(BOTH, capture_output=False, stdout=kept.append, stderr=kept.append)
    assert kept == [b"out\n", b"err\n"]


def test_captured_text_has_plain_newlines_as_with_subprocess():
    assert run(says("a\r\nb\rc"), text=True).stdout == "a\nb\nc"


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({"text": True}, "ä"),
        ({"encoding": "latin-1"}, "Ã¤"),
        ({"encoding": "ascii", "errors": "replace"}, "��"),
        ({"errors": "strict"}, "ä"),
        ({"text": False}, "ä".encode()),
    ],
    ids=["text", "an encoding", "both", "errors alone", "no text"],
)
def test_text_mode_decodes(keywords, expected):
    assert run(says("ä"), **keywords).stdout == expected


# ---- input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [b"", b"hello", bytes(range(256)) * 20], ids=["no", "some", "more"]
)
def test_input_is_read(data):
    assert run(CAT, input=data).stdout == data


def test_text_input_is_encoded():
    assert run(CAT, input="grün", text=True).stdout == "grün"
    assert run(CAT, input="grün", encoding="utf-16").stdout == "grün"


@pytest.mark.parametrize("source", [DEVNULL, PIPE], ids=["DEVNULL", "PIPE"])
def test_no_input_is_empty(source):
    assert run(CAT, stdin=source).stdout == b""


def test_input_comes_from_a_file_object(tmp_path):
    path = tmp_path / "in"
    path.write_bytes(b"from a file")
    with open(path, "rb") as file:
        assert run(CAT, stdin=file).stdout == b"from a file"
        file.seek(5)
        assert run(CAT, stdin=file.fileno()).stdout == b"a file"
    assert run(CAT, stdin=path).stdout == b"from a file"
    assert run(CAT, stdin=io.BytesIO(b"in memory")).stdout == b"in memory"
    assert run(CAT, stdin=io.StringIO("text")).stdout == b"text"


def test_input_comes_from_a_function_until_it_returns_nothing():
    parts = [b"one ", b"two ", b"three"]
    assert run(CAT, stdin=lambda size: parts.pop(0) if parts else b"").stdout == b"one two three"


def test_streams_left_out_are_the_process_own():
    code = f"import wasi_host; wasi_host.run([{CAT!r}]); wasi_host.run([{BOTH!r}])"
    done = subprocess.run([sys.executable, "-c", code], input=b"in ", capture_output=True)
    assert (done.stdout, done.stderr) == (b"in out\n", b"err\n")


def test_a_stream_the_process_does_not_have_is_badf():
    code = f"import os, wasi_host; os.close(0); print(wasi_host.run([{READ_ERRNO!r}]).returncode)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == f"{int(Errno.BADF)}\n", done.stderr


# ---- streams that fail ------------------------------------------------------------------------


class Broken(Exception):
    pass


def broken(argument):
    raise Broken("by the embedder")


@pytest.mark.parametrize(
    ("source", "streams"),
    [(WRITE_ERRNO, {"stdout": broken}), (READ_ERRNO, {"stdin": broken, "stdout": DEVNULL})],
    ids=["output", "input"],
)
def test_what_a_stream_raises_comes_out_after_the_run(source, streams):
    with pytest.raises(Broken, match="by the embedder"):
        wasi_host.run([source], **streams)


def test_a_guest_sees_io_where_a_stream_raises():
    with wasi_host.Sandbox(WRITE_ERRNO).instantiate(stdout=broken) as guest:
        with pytest.raises(wasi_host.ProcExit) as end:
            guest._instance.start()
        assert end.value.code == Errno.IO


def test_an_os_error_of_a_stream_is_the_guests_own_to_handle():
    def full(data):
        raise OSError(28, "no space left")

    assert wasi_host.run([WRITE_ERRNO], stdout=full).returncode == Errno.NOSPC


def test_an_instance_raises_what_its_stream_raised_after_the_call():
    body, data = writes("x")
    source = module(f'(func (export "say") {body})', data, wasi=["fd_write"])
    guest = wasi_host.Sandbox(source).instantiate(stdout=broken)
    with guest, pytest.raises(Broken):
        guest.call("say")


# ---- arguments and environment ----------------------------------------------------------------


def test_arguments_follow_the_name_of_the_module(tmp_path):
    path = tmp_path / "tool.wat"
    path.write_bytes(ARGS)
    assert run(str(path), "a", b"b", tmp_path).stdout == (
        b"tool.wat\0a\0b\0" + os.fsencode(tmp_path) + b"\0"
    )


def test_a_module_of_bytes_has_a_name_too():
    assert run(ARGS).stdout == b"module\0"


def test_argv0_names_the_program():
    assert run(ARGS, "x", argv0="/bin/tool").stdout == b"/bin/tool\0x\0"


def test_the_environment_is_empty(monkeypatch):
    monkeypatch.setenv("SECRET", "value")
    assert run(ENVIRON).stdout == b""


def test_the_environment_is_what_is_given_in_its_order():
    assert run(ENVIRON, env={"B": "2", "A": "", "Ü": "="}).stdout == "B=2\0A=\0Ü==\0".encode()


WRONG_WORDS = {
    "a NUL": (ValueError, {"args": ["a\0b"]}),
    "a lone surrogate": (ValueError, {"args": ["\udcff"]}),
    "a number": (TypeError, {"args": [1]}),
    "None": (TypeError, {"args": [None]}),
    "a variable without a name": (ValueError, {"env": {"": "x"}}),
    "a name with =": (ValueError, {"env": {"A=B": "x"}}),
    "a name with a NUL": (ValueError, {"env": {"A\0": "x"}}),
    "a value with a NUL": (ValueError, {"env": {"A": "\0"}}),
    "a value with a lone surrogate": (ValueError, {"env": {"A": "\ud800"}}),
    "an argv0 with a NUL": (ValueError, {"argv0": "a\0"}),
}


@pytest.mark.parametrize(("error", "given"), WRONG_WORDS.values(), ids=WRONG_WORDS)
def test_words_no_guest_can_have_are_refused(error, given):
    with pytest.raises(error):
        run(ARGS, *given.pop("args", []), **given)


# ---- the mistakes of subprocess ---------------------------------------------------------------

MISTAKES = {
    "input and stdin": {"input": b"x", "stdin": DEVNULL},
    "capture_output and stdout": {"capture_output": True, "stdout": DEVNULL},
    "capture_output and stderr": {"capture_output": True, "stderr": DEVNULL},
    "input as str without text": {"input": "x", "stdout": DEVNULL},
    "input as a number": {"input": 5, "stdout": DEVNULL},
    "an imagined keyword": {"imagined": True},
    "a path as timeout": {"timeout": "x", "stdout": PIPE},
    "an unknown encoding": {"encoding": "nope", "stdout": PIPE},
}


@pytest.mark.parametrize("keywords", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_raises_what_subprocess_raises(keywords):
    with pytest.raises(Exception) as theirs:  # noqa: PT011  which one is the question
        subprocess.run(NOTHING, **keywords)
    with pytest.raises(theirs.type):
        wasi_host.run([exits(0)], **keywords)


REFUSED = {
    "cwd": "dirs=",
    "shell": "no shell",
    "executable": "argv0=",
    "preexec_fn": "forked",
    "universal_newlines": "text=True",
    "bufsize": "documentation",
    "dir": "did you mean dirs=",
    "time_out": "did you mean timeout=",
}


@pytest.mark.parametrize(("name", "word"), REFUSED.items(), ids=REFUSED)
def test_a_keyword_that_cannot_be_meant_is_refused_with_a_word(name, word):
    with pytest.raises(TypeError, match=f"{name}=.*{word}"):
        wasi_host.run([CAT], **{name: None})


WRONG = {
    "args as one text": (TypeError, lambda: wasi_host.run("tool.wasm -x")),
    "args as one path": (TypeError, lambda: wasi_host.run(Path("x.wasm"))),
    "no args": (ValueError, lambda: wasi_host.run([])),
    "a number as module": (TypeError, lambda: wasi_host.run([5])),
    "bytes as input of text": (TypeError, lambda: run(CAT, input=b"x", text=True)),
    "STDOUT as stdout": (ValueError, lambda: run(CAT, capture_output=False, stdout=STDOUT)),
    "STDOUT as stdin": (ValueError, lambda: run(CAT, stdin=STDOUT)),
    "an object as stdin": (TypeError, lambda: run(CAT, stdin=object())),
    "a closed descriptor": (OSError, lambda: run(CAT, stdin=987)),
    "a missing file as stdin": (
        FileNotFoundError,
        lambda: run(CAT, stdin=Path("/missing/file")),
    ),
    "limits as a number": (TypeError, lambda: run(CAT, limits=1)),
    "an unknown word for rights": (ValueError, lambda: run(CAT, rights="all")),
    "no list as args": (TypeError, lambda: wasi_host.run(None)),
    "a number as a variable": (TypeError, lambda: run(CAT, env={"A": 1})),
    "a number as the name of a variable": (TypeError, lambda: run(CAT, env={1: "A"})),
    "a list as env": (TypeError, lambda: run(CAT, env=["A=1"])),
    "an unknown way to meet errors": (LookupError, lambda: run(CAT, text=True, errors="nope")),
    "a number as argv0": (TypeError, lambda: run(CAT, argv0=5)),
}


@pytest.mark.parametrize(("error", "make"), WRONG.values(), ids=WRONG)
def test_a_wrong_argument_is_refused(error, make):
    with pytest.raises(error):
        make()


# ---- check ------------------------------------------------------------------------------------


def test_check_raises_what_subprocess_raises_with_the_result():
    with pytest.raises(subprocess.CalledProcessError) as raised:
        run(exits(3), check=True)
    assert isinstance(raised.value, wasi_host.RunError)
    assert not isinstance(raised.value, wasi_host.Trapped)
    assert (raised.value.returncode, raised.value.result.returncode) == (3, 3)


def test_check_lets_0_pass():
    assert run(exits(0), check=True).returncode == 0


def test_a_checked_trap_says_why():
    with pytest.raises(wasi_host.Trapped, match="unreachable") as raised:
        run(command("unreachable"), check=True)
    assert raised.value.result.trap.cause == "unreachable"


def test_the_output_until_then_is_in_the_exception():
    source = says("partly").replace(b"(i32.const 1108)))", b"(i32.const 1108))) unreachable")
    with pytest.raises(wasi_host.Trapped) as raised:
        run(source, check=True, text=True)
    assert raised.value.stdout == raised.value.result.stdout == "partly"


@pytest.mark.parametrize("source", [exits(3), command("unreachable")], ids=["RunError", "Trapped"])
def test_the_exceptions_pickle_with_their_result(source):
    with pytest.raises(wasi_host.RunError) as raised:
        run(source, check=True)
    again = pickle.loads(pickle.dumps(raised.value))
    assert type(again) is type(raised.value)
    assert str(again) == str(raised.value)
    assert again.result.returncode == raised.value.result.returncode


def test_a_result_is_shown_without_the_bytes_of_its_module():
    done = wasi_host.run([says("x"), "a"], capture_output=True)
    size = len(says("x"))
    assert repr(done) == (
        f"CompletedRun(args=[<module of {size:,} bytes>, 'a'], returncode=0, "
        "stdout=b'x', stderr=b'')"
    )
    assert "trap='unreachable'" in repr(wasi_host.run([command("unreachable")]))
