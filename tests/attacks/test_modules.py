"""Catalogue M 76 to 79: what is no module of ours, and what a module may import and export."""

import subprocess

import pytest

import wasi_host
from tests.runtimes.guests import NOTHING, command, imports, instance, module, run, writes
from tests.sandbox.programs import exits
from wasi_host.modules import recognise

# 76

CORE = recognise(exits(7), "exits")  # in binary form


def importing(module, name):
    return f"""(module (import "{module}" "{name}" (func))
      (memory (export "memory") 1) (func (export "_start")))""".encode()


NOT_WASI = {
    "not WebAssembly": (b"#!/bin/sh\n", r"not WebAssembly.*#!"),
    "empty": (b"", "empty"),
    "cut off in its header": (b"\0asm\1", "cut off"),
    "cut off later": (CORE[: len(CORE) // 2], "not a valid module"),
    "a header and nothing else": (CORE[:8], "memory"),
    "a component": (b"\0asm\x0d\0\1\0" + bytes(8), r"component.*wasm32-wasip1"),
    "a future version": (b"\0asm\2\0\0\0", "version 2"),
    "a native program": (b"\x7fELF\2\1\1", "native"),
    "text with an error": (b"(module (func", "text is wrong"),
    "text that is no module": (b"(imagined)", "text is wrong"),
    "text of a component": (b"(component)", "component"),
    "Emscripten": (importing("env", "emscripten_memcpy_big"), "Emscripten.*STANDALONE_WASM"),
    "minified Emscripten": (importing("a", "b"), "Emscripten"),
    "WASI 0.2": (importing("wasi:io/streams@0.2.0", "read"), "WASI 0.2.*wasm32-wasip1"),
    "WASIX": (importing("wasix_32v1", "thread_spawn"), "WASIX"),
    "Go for JavaScript": (importing("gojs", "runtime.wasmExit"), "GOOS=wasip1"),
    "old Go for JavaScript": (importing("go", "debug"), "GOOS=wasip1"),
    "something else": (importing("game", "draw"), "game.draw"),
}


@pytest.mark.parametrize(("data", "word"), NOT_WASI.values(), ids=NOT_WASI)
def test_m76_what_is_no_wasi_module_is_named(data, word):
    with pytest.raises(wasi_host.NotAWasiModule, match=f"(?s){word}"):
        run(data)


@pytest.mark.parametrize(("data", "word"), NOT_WASI.values(), ids=NOT_WASI)
def test_m76_the_message_names_the_file(data, word, tmp_path):
    path = tmp_path / "tool.wasm"
    path.write_bytes(data)
    with pytest.raises(wasi_host.NotAWasiModule, match=r"tool\.wasm"):
        run(path)


@pytest.mark.parametrize("size", range(0, len(CORE), 7), ids="{} bytes".format)
def test_m76_a_module_cut_anywhere_is_refused(size):
    with pytest.raises(wasi_host.NotAWasiModule):
        run(CORE[:size])


# 77

MEMORIES = {
    "none": ("", "exports its memory as 'memory'"),
    "under another name": ('(memory (export "mem") 1)', "exports one as 'mem'"),
    "not a memory": ('(global (export "memory") i32 (i32.const 1))', "as 'memory'"),
    "a function": ('(func (export "memory"))', "as 'memory'"),
    "imported": ('(import "env" "memory" (memory 1)) (export "memory" (memory 0))', "env.memory"),
    "64-bit": ('(memory (export "memory") i64 1)', "64-bit addresses"),
    "shared": ('(memory (export "memory") 1 2 shared)', "shared|threads"),
}


@pytest.mark.parametrize(("memory", "word"), MEMORIES.values(), ids=MEMORIES)
def test_m77_a_memory_we_cannot_use_is_refused_before_the_start(memory, word):
    source = command("unreachable", memory=memory)
    with pytest.raises(wasi_host.NotAWasiModule, match=word):
        run(source)


@pytest.mark.parametrize(("memory", "word"), MEMORIES.values(), ids=MEMORIES)
def test_m77_a_memory_we_cannot_use_is_refused_to_a_reactor_too(memory, word):
    source = module("(func $early unreachable) (start $early)", memory=memory)
    with pytest.raises(wasi_host.NotAWasiModule, match=word):
        instance(source)


def test_m77_of_several_memories_the_one_exported_as_memory_is_used():
    source = f"""(module {imports("clock_time_get")}
      (memory $small 1) (memory $big (export "memory") 2)
      (func (export "tell") (result i32)
        (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 70000))))"""
    with instance(source.encode()) as guest:
        assert len(guest.memory) == 131072
        assert guest.call("tell") == 0


# 78


def test_m78_all_imports_that_cannot_be_served_are_named_at_once():
    source = b"""(module
        (import "wasi_snapshot_preview1" "fd_imagined" (func))
        (import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))
        (import "wasi_snapshot_preview1" "fd_sync" (global i32))
        (import "elsewhere" "function" (func))
        (import "wasi_snapshot_preview1" "fd_tell" (func (param i32 i32) (result i32)))
        (memory (export "memory") 1) (func (export "_start")))"""
    with pytest.raises(wasi_host.NotAWasiModule) as refused:
        run(source)
    text = str(refused.value)
    assert "wasi_snapshot_preview1 has no such function" in text
    assert "fd_close: imported as (i64) -> (i32), it is (i32) -> (i32)" in text
    assert "fd_sync: imported as something that is no function" in text
    assert "elsewhere.function: not a function of wasi_snapshot_preview1" in text
    assert "fd_tell" not in text


def test_m78_imports_that_cannot_be_served_are_named_before_anything_runs():
    source = b"""(module
        (import "elsewhere" "function" (func $f))
        (memory (export "memory") 1)
        (func $early unreachable) (start $early)
        (func (export "_start")))"""
    with pytest.raises(wasi_host.NotAWasiModule, match=r"elsewhere\.function"):
        run(source)


def test_m78_one_module_may_import_preview1_and_its_predecessor():
    source = b"""(module
      (import "wasi_unstable" "fd_tell" (func (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_tell" (func (param i32 i32) (result i32)))
      (memory (export "memory") 1) (func (export "_start")))"""
    assert wasi_host.run([source]).returncode == 0


def test_m78_both_modules_are_served_in_one_guest_each_in_its_own_way():
    """whence 0 is the start in preview 1, and the current position in its predecessor."""
    source = f"""(module {imports("fd_seek", "path_open")}
      (import "wasi_unstable" "fd_seek" (func $old (param i32 i64 i32 i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 0) "ten")
      (export "open" (func $path_open)) (export "new" (func $fd_seek))
      (export "old" (func $old)))"""
    sandbox = wasi_host.Sandbox(source.encode(), dirs={"/": {"ten": b"0123456789"}})
    with sandbox.instantiate() as guest:
        assert guest.call("open", 3, 0, 0, 3, 0, 0x200026, 0, 0, 16) == 0
        positions = []
        for name, offset, whence in (("new", 5, 0), ("old", 2, 0), ("old", 1, 2), ("new", 0, 2)):
            assert guest.call(name, 4, offset, whence, 64) == 0
            positions.append(guest.memory[64])
    assert positions == [5, 7, 1, 10]


def test_m78_sock_accept_is_not_in_the_predecessor():
    source = b"""(module
      (import "wasi_unstable" "sock_accept" (func (param i32 i32 i32) (result i32)))
      (memory (export "memory") 1) (func (export "_start")))"""
    with pytest.raises(wasi_host.NotAWasiModule, match=r"wasi_unstable.sock_accept"):
        wasi_host.run([source])


# 79


def test_m79_a_start_section_may_call_before_its_memory_is_known():
    say, data = writes("early")
    source = module(f"(func $early {say}) (start $early)", NOTHING, data, wasi=["fd_write"])
    assert run(source).stdout == b"early"


def test_m79_an_exit_in_a_start_section_ends_the_run_with_its_code():
    source = module(
        "(func $early (call $proc_exit (i32.const 9))) (start $early)",
        '(func (export "_start") unreachable)',
        wasi=["proc_exit"],
    )
    assert run(source).returncode == 9


def test_m79_a_memory_that_the_engine_cannot_show_yet_is_a_clear_error_and_none_later():
    memory = []
    with wasi_host.Wasi(stdout=subprocess.PIPE) as wasi:
        functions = wasi.functions(lambda: memory[0] if memory else None)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="start section"):
                functions["clock_time_get"](0, 0, 64)
        memory.append(Viewed())
        assert functions["clock_time_get"](0, 0, 64) == 0
        assert any(memory[0].data)


class Viewed:
    """A memory as an engine may show it."""

    def __init__(self):
        self.data = bytearray(65536)

    def view(self):
        return memoryview(self.data)
