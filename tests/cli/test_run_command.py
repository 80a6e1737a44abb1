"""``wasi-host run``: what goes to the program, what comes back, and what mistakes are told."""

import os
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from click import Context
from click.testing import CliRunner

import wasi_host
from tests.runtimes.guests import command
from tests.runtimes.test_interrupts import DATA, READY, SLEEP
from tests.sandbox.programs import (
    ARGS,
    BOTH,
    CAT,
    CREATE,
    ENVIRON,
    NOT_WASI_BYTES,
    NUMBERS,
    OPEN,
    PREOPENS,
    WASI,
    exits,
)
from wasi_host.cli import cli
from wasi_host.fs import path_fs
from wasi_spec import Errno

ROOT = str(Path(wasi_host.__file__).parents[1])
COMMAND = [sys.executable, "-m", "wasi_host"]


@pytest.fixture
def wat(tmp_path):
    """Writes a program to a file; returns its path."""

    def write(source, name="tool.wat"):
        path = tmp_path / name
        path.write_bytes(source)
        return str(path)

    return write


def child(*words, **keywords):
    keywords.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([*COMMAND, "run", *words], capture_output=True, **keywords)


def told(*words):
    """Run a command that ends by itself in this process; return its status and its words."""
    result = CliRunner().invoke(cli, ["run", *words])
    assert result.stdout == ""
    return result.exit_code, result.stderr


# ---- what goes to the program -----------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [["--"], ["--dir", "x"], ["-e", "--", "--help"], ["run", "-"], ["", " ", "ä\n"], ["--version"]],
    ids=["--", "an option of ours", "more of them", "run", "odd ones", "version"],
)
def test_everything_behind_the_module_goes_to_the_program(words, wat):
    done = child(wat(ARGS), *words)
    assert done.stdout.decode() == "".join(f"{word}\0" for word in ["tool.wat", *words])


def test_a_dash_dash_before_the_module_is_ours(wat):
    assert child("--", wat(ARGS), "x").stdout == b"tool.wat\0x\0"


def test_directories_keep_the_order_in_which_they_were_given(wat, tmp_path):
    done = child(
        *("--mem-dir", "/m"), *("--dir", f"{tmp_path}::/d"), *("--ro-dir", f"{tmp_path}::/r"),
        *("--dir", f"{tmp_path}::/e"), *("--mem-dir", f"{tmp_path}::/c"), wat(PREOPENS),
    )  # fmt: skip
    assert done.stdout.split() == [b"/m", b"/d", b"/r", b"/e", b"/c"]


def test_a_directory_without_a_guest_name_has_the_one_it_was_given_by(wat, tmp_path):
    path = wat(PREOPENS)
    environment = {**os.environ, "PYTHONPATH": ROOT}
    assert child("--dir", ".", path, cwd=tmp_path, env=environment).stdout == b".\n"
    assert child("--ro-dir", str(tmp_path), path).stdout == f"{tmp_path}\n".encode()


def test_a_directory_is_writable_unless_it_is_given_for_reading(wat, tmp_path):
    (tmp_path / "d").mkdir()
    path, given = wat(CREATE), f"{tmp_path}/d::/"
    assert child("--ro-dir", given, path).returncode == Errno.PERM
    assert not (tmp_path / "d" / "file").exists()
    assert child("--mem-dir", given, path).returncode == 0
    assert not (tmp_path / "d" / "file").exists()
    assert child("--dir", given, path).returncode == 0
    assert (tmp_path / "d" / "file").exists()


def test_a_url_is_mounted_and_what_it_lacks_is_said_in_one_line(wat, monkeypatch):
    monkeypatch.setattr(path_fs, "_warned", set())
    status, said = told("--mount", "mem://::/", wat(CREATE))
    assert status == 0
    assert said.startswith("wasi-host: fs.memoryfs.MemoryFS makes no symbolic or hard links")
    assert len(said.splitlines()) == 1


def test_a_memory_directory_holds_a_copy(wat, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "file").write_text("here")
    path = wat(OPEN)
    assert child("--mem-dir", f"{tmp_path}/d::/", path).returncode == 0
    assert child("--mem-dir", "/", path).returncode == Errno.NOENT


def test_the_environment_is_what_was_asked_for(wat):
    path = wat(ENVIRON)
    own = {**os.environ, "OWN": "mine", "OTHER": "x"}
    words = ["-e", "A=1", "--env", "B=", "--env", "C=x=y", "-e", "OWN"]
    assert child(*words, path, env=own).stdout == b"A=1\0B=\0C=x=y\0OWN=mine\0"
    assert child(path, env=own).stdout == b""


def test_the_whole_environment_can_be_inherited_and_changed(wat):
    done = child("--inherit-env", "-e", "A=2", wat(ENVIRON), env={**os.environ, "A": "1", "B": "x"})
    got = done.stdout.split(b"\0")
    assert b"A=2" in got
    assert b"B=x" in got
    assert b"A=1" not in got


def test_argv0_names_the_program(wat):
    assert child("--argv0", "other", wat(ARGS)).stdout == b"other\0"


def test_input_is_ours_or_a_file(wat, tmp_path):
    path = wat(CAT)
    assert child(path, input=b"typed", stdin=None).stdout == b"typed"
    (tmp_path / "in").write_bytes(b"from a file")
    assert child("--stdin", str(tmp_path / "in"), path).stdout == b"from a file"


def test_outputs_are_the_programs_and_nothing_else(wat):
    done = child(wat(BOTH))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"out\n", b"err\n")


def test_a_function_is_called_and_its_results_are_printed(wat):
    path = wat(NUMBERS)
    assert child("--invoke", "add", path, "40", "-2").stdout == b"38\n"
    assert child("--invoke", "pair", path).stdout == b"1\n2\n"
    assert child("--invoke", "nothing", path).stdout == b""


# ---- exit statuses ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status"),
    [(0, 0), (1, 1), (125, 125), (255, 255), (256, 255), (512, 255), (2**32 - 1, 255)],
)
def test_the_status_is_the_programs_and_never_0_for_a_failure(code, status, wat):
    assert told(wat(exits(code))) == (status, "")


def test_a_trap_is_134_with_its_backtrace_on_standard_error(wat):
    status, words = told(wat(command("(call $culprit)", "(func $culprit unreachable)")))
    assert status == 134
    assert words.startswith("wasi-host: ")
    assert "culprit" in words


@pytest.mark.parametrize(("source", "word"), NOT_WASI_BYTES.values(), ids=NOT_WASI_BYTES)
def test_what_is_no_wasi_module_is_126(source, word, wat):
    status, words = told(wat(source, "tool.wasm"))
    assert status == 126
    assert "tool.wasm" in words
    assert word in words


def test_a_directory_as_module_is_126(tmp_path):
    assert told(str(tmp_path)) == (126, f"wasi-host: {tmp_path}: Is a directory\n")


def test_a_missing_module_is_127():
    expected = "wasi-host: /missing/tool.wasm: No such file or directory\n"
    assert told("/missing/tool.wasm") == (127, expected)


def test_an_engine_that_is_not_there_is_125(wat, tmp_path):
    (tmp_path / "hollow" / "wasmtime").mkdir(parents=True)
    (tmp_path / "hollow" / "wasmtime" / "__init__.py").touch()
    path = os.pathsep.join([str(tmp_path / "hollow"), ROOT])
    environment = {**os.environ, "PYTHONPATH": path, "WASI_HOST_WASMTIME": "raw"}
    done = child(wat(exits(0)), env=environment)
    assert (done.returncode, done.stdout) == (125, b""), done.stderr
    assert done.stderr.startswith(b"wasi-host: ")
    assert b"Traceback" not in done.stderr


def test_ctrl_c_is_130_without_a_traceback(wat):
    guest = subprocess.Popen(
        [*COMMAND, "run", wat(command(READY + SLEEP, DATA, wasi=WASI))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    try:
        assert guest.stdout.read(5) == b"ready"
        guest.send_signal(signal.SIGINT)
        assert guest.wait(60) == 130
        assert guest.stderr.read() == b""
    finally:
        guest.kill()
        guest.communicate()


USAGE = {
    "no module": ([], "MODULE"),
    "an imagined option": (["--imagined", "x"], "--imagined"),
    "a missing directory": (["--dir", "/missing/place::/", "x"], "/missing/place"),
    "a missing directory for reading": (["--ro-dir", "/missing/place", "x"], "/missing/place"),
    "a missing directory to copy": (["--mem-dir", "/missing/place::/m", "x"], "/missing/place"),
    "no guest path": (["--dir", "/tmp::", "x"], "HOST::GUEST"),
    "no host path": (["--dir", "::/tmp", "x"], "HOST::GUEST"),
    "a guest path twice": (["--mem-dir", "/a", "--mem-dir", "/a", "x"], "twice"),
    "a mount that is no URL": (["--mount", "/tmp::/t", "x"], "URL::GUEST"),
    "a mount without a guest path": (["--mount", "mem://", "x"], "URL::GUEST"),
    "a URL that nothing knows": (["--mount", "imagined://x::/t", "x"], "known are"),
    "a URL of nothing": (["--mount", "zip:///missing/x.zip::/t", "x"], "/missing/x.zip"),
    "a variable without a name": (["--env", "=x", "x"], "no name"),
    "a variable that is not set": (["-e", "IMAGINED_VARIABLE", "x"], "IMAGINED_VARIABLE"),
    "an input that is missing": (["--stdin", "/missing/input", "x"], "/missing/input"),
    "an input that is a directory": (["--stdin", "/", "x"], "directory"),
}


@pytest.mark.parametrize(("words", "word"), USAGE.values(), ids=USAGE)
def test_a_mistake_is_2_and_says_what(words, word):
    status, said = told(*words)
    assert status == 2
    assert word in said
    assert "Traceback" not in said


CALLS = {
    "a missing function": (["missing"], "add"),
    "too few numbers": (["add", "1"], "takes 2"),
    "no number": (["add", "1", "two"], "two"),
    "a number too large": (["add", "99999999999", "1"], "99999999999"),
}


@pytest.mark.parametrize(("words", "word"), CALLS.values(), ids=CALLS)
def test_a_wrong_call_is_2_and_says_what(words, word, wat):
    status, said = told("--invoke", words[0], wat(NUMBERS), *words[1:])
    assert status == 2
    assert word in said


def test_a_file_given_as_a_directory_is_usage(wat):
    path = wat(exits(0))
    assert told("--dir", f"{path}/x::/", path)[0] == 2


def test_strict_rights_reach_the_program(wat):
    # Reading a file that was opened without asking for the right to read.
    reads = command(
        """(drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 500) (i32.const 4)
          (i32.const 0) (i64.const 4) (i64.const 0) (i32.const 0) (i32.const 16)))
        (call $proc_exit (call $fd_filestat_get (i32.load (i32.const 16)) (i32.const 64)))""",
        '(data (i32.const 500) "file")',
        wasi=["path_open", "fd_filestat_get", "proc_exit"],
    )
    path = wat(reads)
    given = ["--dir", os.path.dirname(path) + "::/"]
    with open(os.path.join(os.path.dirname(path), "file"), "w"):
        pass
    assert child(*given, path).returncode == 0
    assert child(*given, "--strict-rights", path).returncode == Errno.NOTCAPABLE


# ---- help -------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_the_commands_there_are(flag):
    result = CliRunner().invoke(cli, [flag])
    assert result.exit_code == 0
    listed = result.output.partition("Commands:")[2].split("\n")
    commands = set(cli.list_commands(Context(cli)))
    assert {line.split()[0] for line in listed if line.strip()} == commands >= {"run", "test"}


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_of_run_explains_every_option(flag):
    result = CliRunner().invoke(cli, ["run", flag])
    assert result.exit_code == 0
    assert "everything after it goes to the program" in " ".join(result.output.split())
    for param in cli.commands["run"].params:
        assert param.param_type_name == "argument" or param.help, param.name


def test_a_command_that_is_not_there_is_usage():
    assert CliRunner().invoke(cli, ["imagined"]).exit_code == 2


def test_the_version_is_the_distributions():
    try:
        version = metadata.version("wasi-host")
    except metadata.PackageNotFoundError:
        pytest.skip("run from a tree that is not installed")
    assert version in CliRunner().invoke(cli, ["--version"]).output
