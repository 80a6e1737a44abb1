"""``--timeout``, ``--max-memory``, ``--max-output``, ``--fuel``, ``--json`` and ``--runtime``."""

import json
from importlib.util import find_spec

import pytest

from tests.cli.test_run_command import child, told, wat
from tests.runtimes.guests import command
from tests.sandbox.programs import ARGS, BOTH, ENDLESS, exits, says

__all__ = ["wat"]

GROWS = command(
    """(loop $more (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 1)))))
    (call $proc_exit (memory.size))""",
    wasi=["proc_exit"],
    memory='(memory (export "memory") 1 100)',
)


@pytest.mark.parametrize("name", ["computing", "making calls", "sleeping in poll_oneoff"])
def test_a_timeout_is_124_and_what_was_written_stays(name, wat):
    done = child("--timeout", "200ms", wat(ENDLESS[name]))
    assert (done.returncode, done.stdout) == (124, b"out\n")
    assert b"--timeout" in done.stderr


def test_fuel_used_up_is_137(wat):
    done = child("--fuel", "5000", wat(ENDLESS["computing"]))
    assert (done.returncode, done.stdout) == (137, b"out\n")
    assert b"--fuel" in done.stderr
    assert child("--fuel", "5000", wat(exits(3))).returncode == 3


def test_memory_grows_to_the_limit(wat):
    assert child("--max-memory", "1M", wat(GROWS)).returncode == 16
    assert child(wat(GROWS)).returncode == 100


def test_a_module_larger_than_the_limit_is_refused(wat):
    source = command("", memory='(memory (export "memory") 20)')
    done = child("--max-memory", "1M", wat(source))
    assert done.returncode == 126
    assert b"Limits.memory" in done.stderr


def test_output_is_cut_and_that_is_said(wat):
    done = child("--max-output", "2", wat(BOTH))
    assert (done.returncode, done.stdout) == (0, b"ou")
    assert done.stderr == (
        b"erwasi-host: standard output was cut (--max-output)\n"
        b"wasi-host: standard error was cut (--max-output)\n"
    )
    assert child("--max-output", "4", wat(BOTH)).stderr == b"err\n"


def test_what_came_of_a_run_is_written_as_json(wat, tmp_path):
    path = tmp_path / "result.json"
    assert child("--json", str(path), wat(exits(300)), "a").returncode == 255
    found = json.loads(path.read_text())
    assert (found["returncode"], found["exit_status"], found["args"]) == (300, 255, ["a"])
    assert (found["stopped"], found["limits_hit"], found["trap"]) == (None, [], None)
    assert found["usage"]["memory"] == 65_536
    child("--json", str(path), "--timeout", "0.1s", "--max-output", "1", wat(ENDLESS["computing"]))
    found = json.loads(path.read_text())
    assert (found["stopped"], found["exit_status"]) == ("timeout", 124)
    assert (found["truncated"], found["limits_hit"]) == (["stdout"], ["output"])
    child("--json", str(path), wat(command("unreachable")))
    assert json.loads(path.read_text())["trap"]["cause"] == "unreachable"


def test_a_result_that_cannot_be_written_is_125(wat, tmp_path):
    done = child("--json", str(tmp_path / "missing" / "file"), wat(exits(0)))
    assert done.returncode == 125
    assert b"No such file" in done.stderr


@pytest.mark.parametrize(("runtime", "package"), [("pywasm", "pywasm"), ("pywasm3", "wasm3")])
def test_another_engine_runs_the_program_or_says_what_to_install(runtime, package, wat):
    done = child("--runtime", runtime, wat(ARGS), "a", "b")
    if find_spec(package) is None:
        assert done.returncode == 125
        assert f"pip install 'wasi-host[{runtime}]'".encode() in done.stderr
    else:
        assert (done.returncode, done.stdout) == (0, b"tool.wat\0a\0b\0")


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["--timeout", "soon"], "soon"),
        (["--timeout", "1d"], "1d"),
        (["--timeout", "-1s"], "-1s"),
        (["--max-memory", "1T"], "1T"),
        (["--max-memory", "1K"], "Limits.memory"),
        (["--fuel", "-1"], "-1"),
        (["--runtime", "imagined"], "wasmtime, pywasm, pywasm3"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_2_and_says_what(words, word, wat):
    status, said = told(*words, wat(says("x")))
    assert status == 2
    assert word in said
