"""What may be given as a module, and what the rest is called."""

import os
import pickle

import pytest

import wasi_host
from tests.runtimes.guests import command, run
from tests.sandbox.programs import exits, says
from wasi_host import modules
from wasi_host.modules import recognise

CORE = recognise(exits(7), "exits")  # in binary form


def test_a_module_is_bytes_a_path_or_a_module(tmp_path):
    binary, text = tmp_path / "m.wasm", tmp_path / "m.wat"
    binary.write_bytes(CORE)
    text.write_bytes(exits(7))
    for source in (CORE, bytearray(CORE), exits(7), binary, str(text), wasi_host.Module(binary)):
        assert run(source).returncode == 7


def test_text_may_begin_with_space_or_a_comment():
    assert run(b"\n  " + exits(7)).returncode == 7
    assert run(b";; a comment\n" + exits(7)).returncode == 7


@pytest.mark.parametrize("kind", ["bytes", "path"])
def test_a_module_pickles(kind, tmp_path):
    path = tmp_path / "m.wat"
    path.write_bytes(exits(7))
    module = wasi_host.Module(path if kind == "path" else exits(7), name="mine")
    again = pickle.loads(pickle.dumps(module))
    assert (again.name, run(again).returncode) == ("mine", 7)


def test_a_file_that_changed_is_compiled_again(tmp_path):
    path = tmp_path / "m.wat"
    for code in (3, 4):
        path.write_bytes(exits(code))
        os.utime(path, ns=(code, code))
        assert run(path).returncode == code
    replacement = tmp_path / "other"
    replacement.write_bytes(exits(5))
    os.utime(replacement, ns=(4, 4))  # same size, same time: another inode
    os.replace(replacement, path)
    assert run(path).returncode == 5


def test_a_path_is_read_and_compiled_once(tmp_path):
    path = tmp_path / "m.wat"
    path.write_bytes(exits(7))
    assert modules.load(path) is modules.load(str(path))


def test_the_last_modules_are_kept_and_no_more():
    sources = [exits(code) for code in range(100, 100 + modules.KEPT_MODULES + 1)]
    loaded = [modules.load(source) for source in sources]
    assert modules.load(sources[-1]) is loaded[-1]
    assert modules.load(sources[0]) is not loaded[0]


def test_a_missing_file_is_file_not_found():
    with pytest.raises(FileNotFoundError):
        run("/missing/module.wasm")


def test_a_directory_is_no_module(tmp_path):
    with pytest.raises(IsADirectoryError):
        run(tmp_path)


def importing(module, name):
    return f"""(module (import "{module}" "{name}" (func))
      (memory (export "memory") 1) (func (export "_start")))""".encode()


def test_not_a_wasi_module_is_a_value_error():
    assert issubclass(wasi_host.NotAWasiModule, ValueError)


def test_a_module_that_only_lies_there_may_be_wrong_until_it_is_used():
    module = wasi_host.Module(importing("game", "draw"))
    with pytest.raises(wasi_host.NotAWasiModule):
        run(module)


def test_a_module_run_with_and_without_a_timeout_is_the_same():
    module = wasi_host.Module(says("hello"))
    assert run(module).stdout == run(module, timeout=60).stdout == b"hello"


ODD_TYPES = {
    "a vector": "(param v128)",
    "an i31": "(param i31ref)",
    "an exception": "(param exnref)",
    "a reference that is never null": "(param (ref extern))",
    "a vector as result": "(result v128) (v128.const i32x4 0 0 0 0)",
    "a function as result": "(result funcref) (ref.null func)",
}


@pytest.mark.parametrize("signature", ODD_TYPES.values(), ids=ODD_TYPES)
def test_exported_functions_may_have_any_type_and_are_not_called(signature):
    source = command("", f'(func (export "odd") {signature})')
    assert run(source).returncode == 0
    with wasi_host.Sandbox(source).instantiate() as guest, pytest.raises(TypeError):
        guest.call("odd", *[0] * signature.count("param"))


def test_an_import_with_a_vector_is_named():
    source = b"""(module (import "wasi_snapshot_preview1" "fd_close" (func (param v128)))
      (memory (export "memory") 1) (func (export "_start")))"""
    with pytest.raises(wasi_host.NotAWasiModule, match="fd_close: imported as"):
        run(source)
