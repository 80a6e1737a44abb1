"""Sessions, expectations and directories of single tests, and the matrix of all."""

import sys
import threading

import pytest

from conformance.expectations import ExpectationError, Expectations
from conformance.hosts import AdapterError, InProcess, Outside, load_adapter
from conformance.report import details
from conformance.runner import Outcome, run_case, run_matrix
from conformance.suite import load
from tests.conformance.places import place
from tests.sandbox.programs import BOTH, CAT, CREATE, ENDLESS, ENVIRON, exits, says
from wasi_host.preview1 import Preview1
from wasi_spec import Errno

HOST = InProcess("wasmtime", "host")
MEMORY = InProcess("wasmtime", "memory")
RUN, WAIT = {"type": "run"}, {"type": "wait"}


@pytest.fixture
def verdict(tmp_path):
    """Runs one program as a test; returns the result."""

    def run(program, description=None, host=HOST, **keywords):
        place(tmp_path / "suite", "it", program, description)
        (case,) = load(tmp_path / "suite")
        return run_case(case, host, **keywords)

    return run


class Python:
    """An adapter whose host is a Python script with the test's path as argument."""

    def __init__(self, script):
        self._script = script

    def get_name(self):
        return "python"

    def get_version(self):
        return "1"

    def get_wasi_versions(self):
        return ["wasm32-wasip1"]

    def get_wasi_worlds(self):
        return ["wasi:cli/command"]

    def compute_argv(self, test_path, args_env_root, proposals, world, version):
        return [sys.executable, "-c", self._script, test_path, *args_env_root[0]]


# ---- one test ---------------------------------------------------------------------------------


def test_the_exit_code_is_compared(verdict):
    assert verdict(exits(3), {"exit_code": 3}).outcome is Outcome.PASS
    result = verdict(exits(3), {"exit_code": 4})
    assert result.outcome is Outcome.FAIL
    assert result.failures[0].message == "exit code 3, expected 4"


def test_what_comes_next_on_a_stream_is_compared(verdict):
    assert verdict(BOTH, {"stdout": "out\n", "stderr": "err\n"}).outcome is Outcome.PASS
    result = verdict(BOTH, {"stdout": "put\n"})
    assert result.failures[0].message == "stdout is 'out\\n', expected 'put\\n'"
    assert (result.stdout, result.stderr) == (b"out\n", b"err\n")


def test_a_program_is_written_to_and_read_from_in_turn(verdict):
    turns = [
        {"type": kind, "id": stream, "payload": text}
        for text in ("ping", "pong" * 5000)
        for kind, stream in (("write", "stdin"), ("read", "stdout"))
    ]
    assert verdict(CAT, {"operations": [RUN, *turns, WAIT]}).outcome is Outcome.PASS


def test_standard_input_ends_when_the_end_is_waited_for(verdict):
    assert verdict(CAT).outcome is Outcome.PASS


def test_the_environment_is_the_test_s_and_nothing_else(verdict, monkeypatch):
    monkeypatch.setenv("OUTSIDE", "1")
    result = verdict(ENVIRON, {"env": {"A": "b"}, "stdout": "A=b\0"})
    assert (result.outcome, result.stdout) == (Outcome.PASS, b"A=b\0")


@pytest.mark.parametrize("kind", sorted(ENDLESS.keys() - {"blocked in a read"}))
def test_a_program_without_end_is_ended_at_its_timeout(verdict, kind):
    result = verdict(ENDLESS[kind], {"args": ["x"]}, timeout=0.3)
    assert "timeout" in result.failures[0].message


def test_a_read_that_never_comes_is_ended_at_the_timeout(verdict):
    result = verdict(ENDLESS["blocked in a read"], {"stdout": "more than this"}, timeout=0.3)
    assert result.failures[0].message.startswith("timeout: stdout is 'out\\n'")


def test_a_host_that_hangs_in_a_call_does_not_hang_the_runner(verdict, monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(Preview1, "proc_exit", lambda self, code: released.wait(60))
    monkeypatch.setattr("conformance.session.GRACE", 0.1)
    result = verdict(exits(0), timeout=0.2)
    released.set()
    assert "timeout" in result.failures[0].message


def test_what_the_host_raises_is_the_failure(verdict, monkeypatch):
    def broken(self, code):
        raise RuntimeError("a mistake of the host")

    monkeypatch.setattr(Preview1, "proc_exit", broken)
    result = verdict(exits(0))
    assert result.failures[0].kind == "Unexpected"
    assert "a mistake of the host" in result.failures[0].message


def test_a_failure_has_its_system_calls_and_a_success_has_not(verdict):
    failed = verdict(exits(3))
    assert failed.trace.splitlines()[0].startswith("proc_exit(3)")
    assert "system calls" in details(failed)
    assert "proc_exit(3)" in details(failed)
    passed = verdict(exits(0))
    assert passed.trace == ""
    assert "system calls" not in details(passed)


def test_a_module_that_does_not_run_is_a_failure(verdict):
    result = verdict(b"\0asm\x0d\0\1\0")
    assert "component" in result.failures[0].message


@pytest.mark.parametrize("host", [HOST, MEMORY], ids=["host", "memory"])
def test_each_test_has_a_fresh_directory_without_leftovers(verdict, tmp_path, host):
    root = tmp_path / "suite" / "dir"
    (root / "old.cleanup").mkdir(parents=True)
    (root / "old.cleanup" / "x").touch()
    for _ in range(2):
        assert verdict(CREATE, {"root": "dir"}, host).outcome is Outcome.PASS
    assert [path.name for path in root.iterdir()] == ["old.cleanup"]


def test_a_test_beyond_preview1_is_skipped_with_the_reason(verdict):
    result = verdict(exits(0), {"proposals": ["http"]})
    assert (result.outcome, result.reason) == (
        Outcome.SKIP,
        "the proposals http are not of preview 1",
    )


# ---- expectations -----------------------------------------------------------------------------

EXPECTATIONS = """
version = 1
[[suite]]
name = "{suite}"
[[suite.test]]
name = "skipped"
action = "skip"
reason = "why not"
[[suite.test]]
name = "broken"
expected = "fail"
reason = "known"
[[suite.test]]
name = "mended"
expected = "fail"
"""


def test_expectations_skip_and_expect_failures_and_unexpected_passes_are_red(tmp_path):
    suite, toml = tmp_path / "suite", tmp_path / "expected.toml"
    toml.write_text(EXPECTATIONS.format(suite=suite))
    for name, code in (("broken", 1), ("mended", 0), ("skipped", 1), ("whole", 0)):
        place(suite, name, exits(code))
    matrix = run_matrix(load(suite), [HOST, MEMORY], expectations=[toml])
    outcomes = [(result.outcome.value, result.reason) for result in matrix.results]
    wanted = [("xfail", "known"), ("xpass", ""), ("skip", "why not"), ("pass", "")]
    assert outcomes == wanted * 2
    assert [result.case.name for result in matrix.red] == ["mended"] * 2


@pytest.mark.parametrize(
    "text",
    [
        "version = 2",
        "suite = 1",
        '[[suite]]\n[[suite.test]]\nname = "a"\naction = "skip"',
        '[[suite]]\nname = "s"\n[[suite.test]]\nname = "a"',
        '[[suite]]\nname = "s"\n[[suite.test]]\nname = "a"\naction = "dance"',
        "[[suite",
    ],
    ids=["version", "no table", "no suite name", "no action", "an unknown action", "no TOML"],
)
def test_a_wrong_expectation_file_is_told_with_its_name(tmp_path, text):
    path = tmp_path / "expected.toml"
    path.write_text(text)
    with pytest.raises(ExpectationError, match=r"expected\.toml"):
        Expectations([path])


# ---- outside hosts ----------------------------------------------------------------------------


def test_an_outside_host_runs_as_a_process(verdict):
    script = "import sys; print(sys.argv[2]); sys.exit(5)"
    host = Outside(Python(script))
    given = {"args": ["hello"], "stdout": "hello\n", "exit_code": 5}
    assert verdict(b"", given, host).outcome is Outcome.PASS


def test_an_outside_host_gets_signals(verdict):
    host = Outside(Python("import signal; print('up', flush=True); signal.pause()"))
    steps = [RUN, {"type": "read", "payload": "up"}, {"type": "kill"}]
    operations = [*steps, {"type": "wait", "exit_code": -15}]
    assert verdict(b"", {"operations": operations}, host).outcome is Outcome.PASS


def test_an_outside_server_is_connected_to(verdict):
    script = (
        "import socket; s = socket.create_server(('127.0.0.1', 0));"
        "print('127.0.0.1:%d' % s.getsockname()[1], flush=True);"
        "c = s.accept()[0]; c.sendall(c.recv(9)[::-1])"
    )
    steps = [
        {"type": "connect"},
        {"type": "send", "id": "server", "payload": "abc"},
        {"type": "recv", "id": "server", "payload": "cba"},
    ]
    result = verdict(b"", {"operations": [RUN, *steps, WAIT]}, Outside(Python(script)))
    assert result.outcome is Outcome.PASS, result.failures


def test_an_outside_host_without_end_is_killed(verdict):
    host = Outside(Python("import time; time.sleep(600)"))
    assert "timeout" in verdict(b"", host=host, timeout=0.3).failures[0].message


def test_a_host_that_is_absent_skips_with_the_reason(verdict):
    class Absent(Python):
        def get_version(self):
            raise FileNotFoundError("no such command")

    result = verdict(b"", host=Outside(Absent("")))
    assert (result.outcome, result.reason) == (
        Outcome.SKIP,
        "python is not here: no such command",
    )


@pytest.mark.parametrize(
    ("text", "word"),
    [("get_name = str", "get_version"), ("import no_such_thing", "no_such"), ("(", "adapter")],
    ids=["a function is missing", "an import fails", "no Python"],
)
def test_a_file_that_is_no_adapter_is_told(tmp_path, text, word):
    path = tmp_path / "adapter.py"
    path.write_text(text)
    with pytest.raises(AdapterError, match=word):
        load_adapter(path)


def test_a_program_that_says_things_after_it_was_read_still_passes(verdict):
    assert verdict(says("more than expected"), {"stdout": "more"}).outcome is Outcome.PASS


def test_creating_without_a_directory_fails_with_badf(verdict):
    assert verdict(CREATE, {"exit_code": int(Errno.BADF)}).outcome is Outcome.PASS
