"""The example of an adapter: what it runs is served as ever, and it is as short as it says."""

import importlib.util
from pathlib import Path

import pytest

import wasi_host

pytest.importorskip("wasmtime", reason="the example's engine is wasmtime's own Python API")
EXAMPLE = Path(__file__).resolve().parents[2] / "examples/new_engine.py"
GREP = str(EXAMPLE.with_name("grep.wasm"))
TREE = {"/data": {"a.txt": "hello\nworld\n"}}


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("new_engine", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_adapter_runs_a_real_program_with_its_exit_code(example):
    said = []
    words = [GREP, "-rn", "hello", "/data"]
    assert example.run(*words, dirs=TREE, stdout=said.append) == 0
    expected = wasi_host.run(words, dirs=TREE, capture_output=True).stdout
    assert b"".join(said) == expected == b"/data/a.txt:1:hello\n"
    assert example.run(GREP, "absent", "/data/a.txt", dirs=TREE) == 1
