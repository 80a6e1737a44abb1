"""``wasi-host test``: its table, its exit status, its files, and what mistakes are told."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from conformance.suite import load
from tests.conformance.places import place
from tests.sandbox.programs import exits, says
from wasi_host.cli import cli

pytest.importorskip("rich", reason="the table is made with rich, which is not installed")


@pytest.fixture
def suite(tmp_path):
    """A suite of two programs, both as expected."""
    place(tmp_path / "suite", "says", says("hello\n"), {"stdout": "hello\n"})
    place(tmp_path / "suite", "three", exits(3), {"exit_code": 3})
    return tmp_path / "suite"


def outcome(*words):
    result = CliRunner().invoke(cli, ["test", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def test_all_tests_run_on_all_filesystems_and_the_table_counts_them(suite):
    status, table, told = outcome(suite)
    assert (status, told) == (0, "")
    rows = [line.split() for line in table.splitlines() if "wasmtime/" in line]
    assert {row[0] for row in rows} >= {"wasmtime/host", "wasmtime/memory"}
    assert [row[1:5] for row in rows] == [["2", "0", "0", "0"]] * len(rows)


def test_a_failure_is_status_1_and_shown_with_its_output(suite):
    place(suite, "wrong", says("other\n"), {"exit_code": 1})
    status, table, _ = outcome(suite, "--fs", "memory")
    assert status == 1
    assert "suite/wrong" in table
    assert "exit code 0, expected 1" in table
    assert "stdout:\n    other" in table


def test_engines_and_filesystems_are_chosen(suite):
    _, table, _ = outcome(suite, "--runtime", "wasmtime", "--fs", "memory", "--strict-rights")
    assert "wasmtime/memory strict" in table
    assert "wasmtime/host" not in table


def test_tests_are_chosen_by_their_names(suite):
    assert "1 tests on 1 hosts" in outcome(suite, "--fs", "host", "-k", "thr")[1]


def test_an_adapter_is_a_column_of_its_own(suite, tmp_path):
    adapter = tmp_path / "python.py"
    adapter.write_text(
        "import sys\n"
        "def get_name(): return 'other host'\n"
        "def get_version(): return '1.2'\n"
        "def get_wasi_versions(): return ['wasm32-wasip1']\n"
        "def get_wasi_worlds(): return ['wasi:cli/command']\n"
        "def compute_argv(path, given, proposals, world, version):\n"
        "    return [sys.executable, '-c', 'raise SystemExit(3)']\n"
    )
    status, table, _ = outcome(suite, "--adapter", adapter)
    row = next(line.split() for line in table.splitlines() if "other host  " in line)
    assert (status, row) == (1, ["other", "host", "1", "1", "0", "0", "1.2"])
    assert "wasmtime/" not in table


def test_the_json_has_the_official_runner_s_shape(suite, tmp_path):
    place(suite, "wrong", exits(1))
    path = tmp_path / "report.json"
    outcome(suite, "--fs", "host", "--json", path)
    report = json.loads(path.read_text())
    assert report["execution"].keys() == {"start_timestamp", "finish_timestamp"}
    (entry,) = report["results"]
    assert entry["name"] == load(suite)[0].suite
    assert entry["runtime"]["name"] == "wasmtime/host"
    assert [entry[key] for key in ("passed", "failed", "skipped", "xfailed", "xpassed")] == [
        2, 1, 0, 0, 0,
    ]  # fmt: skip
    wrong = entry["tests"][2]
    assert wrong.pop("duration_s") > 0
    assert wrong == {
        "name": "wrong",
        "executed": True,
        "outcome": "fail",
        "failures": ["exit code 1, expected 0"],
    }


MISTAKES = {
    "no suite": ([], "SUITE_DIR"),
    "a missing suite": (["nowhere"], "nowhere"),
    "an unknown filesystem": (["--fs", "tape"], "tape"),
    "an adapter that is missing": (["{suite}", "--adapter", "gone.py"], "gone.py"),
    "no such test": (["{suite}", "-k", "zzz"], "zzz"),
}


@pytest.mark.parametrize(("words", "word"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_status_2_and_told(suite, words, word):
    status, table, told = outcome(*(text.format(suite=suite) for text in words))
    assert (status, table) == (2, "")
    assert word in told


def test_a_start_of_run_loads_nothing_of_the_tests():
    code = (
        "import sys; from wasi_host.cli import cli;"
        "sys.exit(any(name.split('.')[0] in ('conformance', 'rich') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
