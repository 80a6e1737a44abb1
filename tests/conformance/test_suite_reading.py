"""What becomes of directories and descriptions in the official layout."""

import json

import pytest

from conformance.suite import (
    Case,
    Connect,
    Kill,
    Read,
    Receive,
    Run,
    Send,
    SuiteError,
    Wait,
    Write,
    load,
)
from tests.conformance.places import official, place


def test_a_test_without_description_runs_and_exits_with_0(tmp_path):
    wasm = place(tmp_path / "own", "plain", b"")
    assert load(tmp_path / "own") == [
        Case(str(tmp_path / "own"), "plain", "own/plain", wasm, (Run(), Wait(0)))
    ]


def test_the_flat_form_becomes_operations(tmp_path):
    flat = {"args": ["a"], "env": {"N": "v"}, "root": "d", "exit_code": 3, "stdout": "o"}
    place(tmp_path, "flat", b"", flat)
    (case,) = load(tmp_path)
    run = Run(("a",), {"N": "v"}, tmp_path / "d")
    assert case.operations == (run, Read("stdout", "o"), Wait(3))


def test_the_list_of_operations_is_read(tmp_path):
    operations = [
        {"type": "run", "args": ["x"]},
        {"type": "write", "id": "stdin", "payload": "in"},
        {"type": "read", "id": "stderr", "payload": "e"},
        {"type": "connect"},
        {"type": "send", "id": "server", "payload": "ping"},
        {"type": "recv", "id": "server", "payload": "pong"},
        {"type": "kill"},
        {"type": "wait", "exit_code": 1},
    ]
    place(tmp_path, "listed", b"", {"operations": operations, "proposals": ["sockets"]})
    (case,) = load(tmp_path)
    assert case.proposals == ("sockets",)
    assert case.operations == (
        Run(("x",)),
        Write("stdin", "in"),
        Read("stderr", "e"),
        Connect("server"),
        Send("server", "ping"),
        Receive("server", "pong"),
        Kill("SIGTERM"),
        Wait(1),
    )


def test_sockets_are_a_key_of_ours_beside_either_form(tmp_path):
    place(tmp_path, "a", b"", {"sockets": ["tcp-connected"], "exit_code": 1})
    assert load(tmp_path)[0].sockets == ("tcp-connected",)


def test_the_official_layout_gives_suites_by_their_manifests(tmp_path):
    place(official(tmp_path, "c", "WASI C tests"), "one", b"")
    place(official(tmp_path, "rust", "WASI Rust tests"), "two", b"")
    cases = load(tmp_path)
    assert [(case.suite, case.label) for case in cases] == [
        ("WASI C tests", "c/one"),
        ("WASI Rust tests", "rust/two"),
    ]


def test_suites_for_other_versions_are_left_out(tmp_path):
    place(official(tmp_path, "c"), "one", b"")
    place(official(tmp_path, "rust", "later", "wasm32-wasip3"), "two", b"")
    assert [case.name for case in load(tmp_path)] == ["one"]


def test_modules_in_other_directories_are_no_tests(tmp_path):
    place(official(tmp_path, "c"), "one", b"")
    place(tmp_path / "tools", "helper", b"")
    assert [case.name for case in load(tmp_path)] == ["one"]


@pytest.mark.parametrize("made", [False, True], ids=["missing", "empty"])
def test_a_directory_without_tests_is_told(tmp_path, made):
    suite = tmp_path / "suite"
    if made:
        suite.mkdir()
    with pytest.raises(SuiteError, match=str(suite)):
        load(suite)


MISTAKES = {
    "both forms": ({"operations": [], "args": []}, "both forms"),
    "an unknown operation": ({"operations": [{"type": "dance"}]}, "dance"),
    "a read before the run": ({"operations": [{"type": "read"}]}, "nothing runs"),
    "two runs at once": ({"operations": [{"type": "run"}, {"type": "run"}]}, "runs already"),
    "a run without wait": ({"operations": [{"type": "run"}]}, "no wait"),
    "an unknown connection": (
        {"operations": [{"type": "run"}, {"type": "send", "id": "x"}]},
        "no connection",
    ),
    "arguments that are no texts": ({"args": [1]}, "args"),
    "an exit code that is no number": ({"exit_code": "1"}, "exit_code"),
    "environment that is a list": ({"env": ["A=b"]}, "json"),
    "no object": ([], "object"),
}


@pytest.mark.parametrize(("description", "word"), MISTAKES.values(), ids=MISTAKES)
def test_a_wrong_description_is_told_with_its_file(tmp_path, description, word):
    place(tmp_path, "wrong", b"", description)
    with pytest.raises(SuiteError, match=r"wrong\.json") as raised:
        load(tmp_path)
    assert word in str(raised.value)


def test_a_description_that_is_no_json_is_told_with_its_file(tmp_path):
    place(tmp_path, "wrong", b"").with_suffix(".json").write_text(json.dumps({})[:-1])
    with pytest.raises(SuiteError, match=r"wrong\.json"):
        load(tmp_path)
