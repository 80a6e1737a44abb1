"""Engines we do not know are checked in a child process, and fall back to the public API."""

import os
import subprocess
import sys

import pytest

from wasi_host.runtimes import wasmtime_capi, wasmtime_check, wasmtime_choice
from wasi_host.runtimes.contract import Mode


def test_every_known_major_is_used_through_its_c_api():
    for major in (47, 48, 49, 50):
        assert wasmtime_choice._decide(f"{major}.0.1", None) == "raw"


def test_this_engine_passes_the_self_check_in_a_child():
    assert wasmtime_choice.checked_in_child()


@pytest.mark.parametrize("epochs", [False, True], ids=["plain", "with epoch checks"])
def test_this_engine_passes_the_self_check_here(epochs):
    wasmtime_check.check(Mode(epochs))


def test_an_unknown_major_that_passes_is_used_through_its_c_api(monkeypatch):
    monkeypatch.setattr(wasmtime_choice, "checked_in_child", lambda: True)
    assert wasmtime_choice._decide("99.0.0", None) == "raw"


def test_an_unknown_major_that_fails_falls_back_and_says_so(monkeypatch):
    monkeypatch.setattr(wasmtime_choice, "checked_in_child", lambda: False)
    with pytest.warns(RuntimeWarning, match=r"99\.0\.0"):
        assert wasmtime_choice._decide("99.0.0", None) == "public"


def test_a_self_check_that_sees_something_else_fails(monkeypatch):
    monkeypatch.setattr(wasmtime_check._Host, "fd_seek", lambda *_: 0)
    with pytest.raises(wasmtime_check.Unexpected):
        wasmtime_check.check(Mode())


def test_a_library_that_lacks_a_function_fails_the_self_check(monkeypatch):
    declared = {**wasmtime_capi.DECLARATIONS, "wasmtime_imagined": (None, (), False)}
    monkeypatch.setattr(wasmtime_capi, "DECLARATIONS", declared)
    with pytest.raises(AttributeError, match="wasmtime_imagined"):
        wasmtime_check.check(Mode())


def test_only_declared_functions_are_looked_up():
    with pytest.raises(AttributeError, match="wat2json is not declared"):
        _ = wasmtime_capi.library().wat2json


def test_a_child_that_cannot_be_started_fails_the_check(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert not wasmtime_choice.checked_in_child()


def test_a_wrong_word_in_the_variable_is_refused():
    with pytest.raises(ValueError, match="'raw' or 'public'"):
        wasmtime_choice._decide("50.0.0", "fast")


GUEST = r"""
import wasi_host, subprocess
from wasi_host.runtimes import wasmtime_choice
assert wasmtime_choice.way() == "public"
out = wasi_host.run(
    ["examples/grep.wasm", "-rn", "hello", "/data"],
    dirs={"/data": "examples/data"}, capture_output=True,
)
assert out.returncode == 0 and b"hello" in out.stdout
source = b'''(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $x (param i32)))
  (memory (export "memory") 1)
  (func (export "spin") (loop (br 0)))
  (func (export "boom") unreachable)
  (func (export "grow") (result i32) (memory.grow (i32.const 100)))
  (func (export "add") (param i64 f32) (result f32)
    (f32.add (local.get 1) (f32.convert_i64_s (local.get 0))))
  (func (export "_start") (call $x (i32.const 4000000000))))'''
assert wasi_host.run([source]).returncode == 4000000000
assert wasi_host.run([source], invoke="boom", stderr=subprocess.DEVNULL).trap.cause == "unreachable"
assert wasi_host.run([source, "2", "0.5"], invoke="add").values == (2.5,)
limits = wasi_host.Limits(memory=1 << 20)
assert wasi_host.run([source], invoke="grow", limits=limits).values == (-1,)
try:
    wasi_host.run([source], invoke="spin", timeout=0.2)
except wasi_host.TimeoutExpired:
    print("all right")
"""


def test_the_public_api_runs_guests_as_the_c_api_does():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", GUEST],
        env={**os.environ, wasmtime_choice.VARIABLE: "public"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "all right\n"), done.stderr
