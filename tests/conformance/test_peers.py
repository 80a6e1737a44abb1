"""Adapters of other hosts, of ours for the official runner, and the explained differences."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from conformance import adapter, own, peers
from conformance.hosts import ADAPTERS, PEERS, Outside, load_adapter
from conformance.runner import run_matrix
from conformance.suite import load

_SUITE = os.environ.get("WASI_TESTSUITE")
_ENTRIES = tomllib.loads((Path(peers.__file__).parent / "peers.toml").read_text())["difference"]


def peer(name):
    return load_adapter(ADAPTERS / f"{name}.py")


@pytest.mark.parametrize("path", [Path(adapter.__file__), *(ADAPTERS / f"{n}.py" for n in PEERS)])
def test_an_adapter_is_a_module_that_does_nothing_when_it_is_run(path):
    """The official runner starts it with --version, and takes words of it for the old form."""
    done = subprocess.run(
        [sys.executable, path, "--version"], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_our_adapter_gives_the_command_of_a_test():
    given = ["a", "--dir"], {"N": "v"}, "some/root"
    argv = adapter.compute_argv("t.wasm", given, [], "wasi:cli/command", "wasm32-wasip1")
    words = ["--env", "N=v", "--dir", "some/root::/", "t.wasm", "a", "--dir"]
    assert argv == ["wasi-host", "run", *words]


@pytest.mark.parametrize("variable", ["NODE", "WASMTIME_PYTHON"])
def test_a_peer_that_is_not_there_is_absent(monkeypatch, variable):
    monkeypatch.setenv(variable, "no-such-command-here")
    name = {"NODE": "node_wasi", "WASMTIME_PYTHON": "wasmtime_wasi"}[variable]
    assert "no-such-command-here" in Outside(peer(name)).absent


def test_every_difference_names_a_peer_a_test_and_its_judge():
    names = {peer(name).get_name() for name in PEERS}
    programs = {case.label for case in load(own.PROGRAMS)}
    for entry in _ENTRIES:
        assert entry.keys() - {"hangs"} == {"peer", "test", "why", "source"}
        assert entry["peer"] in names
        assert entry["test"] in programs or not entry["test"].startswith("programs/")
    places = [(entry["peer"], entry["test"]) for entry in _ENTRIES]
    assert len(set(places)) == len(places)


def test_wasmtimes_own_wasi_differs_where_it_is_explained():
    cases = [case for case in load(own.PROGRAMS) if case.name.startswith(("args", "proc_exit"))]
    matrix = run_matrix(cases, [Outside(peer("wasmtime_wasi"))])
    assert [(result.case.name, result.failures) for result in matrix.red] == []
    assert "xfail" in {result.outcome.value for result in matrix.results}


@pytest.mark.skipif(
    not _SUITE, reason="minutes; WASI_TESTSUITE names no copy of the official suite"
)
@pytest.mark.parametrize("name", PEERS)
def test_all_differences_of_a_peer_are_explained(name):
    host = Outside(peer(name))
    if host.absent:
        pytest.skip(host.absent)
    matrix = run_matrix([*load(Path(_SUITE)), *load(own.PROGRAMS)], [host])
    assert [(result.case.label, result.failures) for result in matrix.red] == []
