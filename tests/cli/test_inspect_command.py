"""``wasi-host inspect``: what a module is, without running it."""

import json

import pytest
from click.testing import CliRunner

import wasi_host
from tests.cli.test_run_command import wat
from tests.runtimes.guests import NOTHING, command, module
from tests.sandbox.programs import CAT, NOT_WASI_BYTES, NUMBERS
from wasi_host.cli import cli
from wasi_host.inspect import inspect, shim_source
from wasi_spec import FUNCTIONS

__all__ = ["wat"]


def invoke(*words):
    return CliRunner().invoke(cli, list(words))


def test_a_command_is_told_with_what_it_imports_and_all_is_served(wat):
    done = invoke("inspect", wat(CAT))
    assert done.exit_code == 0
    assert done.output.startswith("tool.wat: command, ")
    assert "imports from wasi_snapshot_preview1:" in done.output
    assert [line.split() for line in done.output.splitlines() if "fd_" in line] == [
        ["fd_read", "served"], ["fd_write", "served"],
    ]  # fmt: skip
    assert "memory: 64 KiB at the start, no maximum of its own" in done.output


def test_a_reactor_is_one(wat):
    done = invoke("inspect", wat(NUMBERS))
    assert (done.exit_code, "reactor" in done.output) == (0, True)
    assert "exports: add, half, pair" in done.output


def test_an_import_that_is_not_served_is_told_with_the_reason_and_is_1(wat):
    source = b"""(module (import "env" "f" (func))
      (import "wasi_snapshot_preview1" "fd_close" (func (param i64)))
      (memory (export "memory") 1 2) (func (export "_start")))"""
    done = invoke("inspect", wat(source))
    assert done.exit_code == 1
    assert "not served: not a function of WASI preview 1" in done.output
    assert "not served: imported as (i64) -> (), it is (i32) -> (i32)" in done.output
    assert "128 KiB at most" in done.output


def test_what_is_neither_command_nor_reactor_says_why():
    for source, word in (
        (b'(module (func (export "_start")))', "no memory"),
        (module(NOTHING, memory='(memory (export "memory") 1 1 shared)'), "shared"),
        (module('(func (export "_start") (param i32))'), "_start"),
    ):
        assert word in inspect(source).kind


def test_an_example_is_told_by_what_it_is():
    found = inspect("examples/grep.wasm")
    assert (found.kind, found.unserved) == ("command", [])
    assert found.memory[0] > 0


def test_json_has_all_of_it(wat):
    found = json.loads(invoke("inspect", "--json", wat(CAT)).output)
    assert found["kind"] == "command"
    assert [item["name"] for item in found["imports"]] == ["fd_read", "fd_write"]
    assert all(item["served"] for item in found["imports"])
    assert found["memory"] == [65_536, None]


@pytest.mark.parametrize(
    "name", [name for name in NOT_WASI_BYTES if name not in ("no command", "a corrupt module")]
)
def test_what_is_no_core_module_is_126_and_named(name, wat):
    data, word = NOT_WASI_BYTES[name]
    done = invoke("inspect", wat(data))
    assert done.exit_code == 126
    assert word in done.stderr


def test_a_missing_module_is_127():
    assert invoke("inspect", "/missing.wasm").exit_code == 127


def test_a_shim_is_shown_as_it_is_compiled():
    done = invoke("inspect", "--shim", "fd_read")
    assert done.output.startswith("def fd_read(ctx, caller, a):\n")
    for row in FUNCTIONS:
        compile(shim_source(row.name), row.name, "exec")
    assert invoke("inspect", "--shim", "fd_seek", "--unstable").output != (
        invoke("inspect", "--shim", "fd_seek").output
    )


@pytest.mark.parametrize(
    "words", [[], ["--shim", "imagined"], ["x.wasm", "--shim", "fd_read"]],
    ids=["nothing", "an unknown function", "both"],
)  # fmt: skip
def test_a_wrong_use_is_2(words):
    assert invoke("inspect", *words).exit_code == 2


def test_nothing_is_compiled_by_looking(monkeypatch):
    from wasi_host import modules

    source = wasi_host.Module(command("")).wasm
    monkeypatch.setattr(modules, "compile_module", None)
    assert inspect(source).kind == "command"
