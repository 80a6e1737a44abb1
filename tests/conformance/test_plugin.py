"""The pytest plug-in, in a pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import conformance
from tests.conformance.places import place
from tests.sandbox.programs import CAT, exits, says

ROOT = Path(conformance.__file__).parents[1]


@pytest.fixture
def pytested(tmp_path):
    """Runs pytest with the plug-in in an empty directory; returns status and output."""
    home = tmp_path / "home"
    home.mkdir()

    def run(*words):
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        plugin = ["-p", "conformance.plugin", "-p", "no:cacheprovider", "-rA"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugin, *map(str, words)],
            cwd=home,
            # Where we are installed the plug-in would come a second time, by its entry point.
            # Options of the run that we are in are not its own.
            env=os.environ
            | {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    run.home = home
    return run


def test_a_suite_s_programs_are_tests_on_each_host(pytested, tmp_path):
    place(tmp_path / "suite", "good", exits(0))
    place(tmp_path / "suite", "bad", says("words\n"), {"exit_code": 1})
    status, output = pytested("--wasi-suite", tmp_path / "suite", "--wasi-fs", "memory")
    assert status == 1
    assert "1 failed, 1 passed" in output
    assert "bad.wasm::wasmtime/memory" in output
    assert "exit code 0, expected 1" in output
    assert "words" in output


def test_expectations_skip_and_expect_failures(pytested, tmp_path):
    for name in ("skipped", "failing"):
        place(tmp_path / "suite", name, exits(1))
    toml = tmp_path / "expected.toml"
    toml.write_text(
        f'[[suite]]\nname = "{tmp_path / "suite"}"\n'
        '[[suite.test]]\nname = "skipped"\naction = "skip"\nreason = "why not"\n'
        '[[suite.test]]\nname = "failing"\nexpected = "fail"\nreason = "known"\n'
    )
    words = ["--wasi-suite", tmp_path / "suite", "--wasi-expectations", toml, "--wasi-fs", "host"]
    status, output = pytested(*words)
    assert status == 0
    assert "1 skipped, 1 xfailed" in output
    assert "why not" in output


def test_a_user_s_own_tests_run_beside_the_suite_only_when_named(pytested, tmp_path):
    place(tmp_path / "suite", "good", exits(0))
    (pytested.home / "test_mine.py").write_text("def test_mine(): pass")
    words = ["--wasi-suite", tmp_path / "suite", "--wasi-fs", "host"]
    assert "1 passed" in pytested(*words)[1]
    assert "2 passed" in pytested(*words, "test_mine.py")[1]


def test_a_wrong_suite_is_a_mistake_of_usage(pytested, tmp_path):
    status, output = pytested("--wasi-suite", tmp_path / "gone")
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "gone: no such directory" in output


def test_the_fixture_runs_a_program_and_captures_text(pytested, tmp_path):
    wasm = place(tmp_path, "cat", CAT)
    (pytested.home / "test_cat.py").write_text(
        f"def test_cat(wasi_host_run):\n    assert wasi_host_run([{str(wasm)!r}]).stdout == ''\n"
        f"    assert wasi_host_run([{str(wasm)!r}], input='a').stdout == 'a'\n"
    )
    status, output = pytested()
    assert status == 0, output


def test_nothing_of_ours_is_imported_before_it_is_asked_for(pytested):
    (pytested.home / "test_it.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    ours = {name for name in sys.modules\n"
        "            if name.split('.')[0] in ('wasi_host', 'wasi_spec', 'conformance')}\n"
        "    assert ours == {'conformance', 'conformance.plugin'}\n"
    )
    status, output = pytested()
    assert status == 0, output
