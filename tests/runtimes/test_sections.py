"""What is read of a module without an engine agrees with what an engine says."""

import random
from pathlib import Path

import pytest

import wasi_host
from tests.runtimes.guests import NOTHING, command, module
from tests.sandbox.programs import CAT, NUMBERS
from wasi_host.runtimes.contract import Mode
from wasi_host.runtimes.sections import PAGE, Range, capped, read_sections

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "examples/grep.wasm", ROOT / "tests/guests/both_unstable.wasm"]


@pytest.mark.parametrize("source", [*FILES, CAT, NUMBERS], ids=["grep", "both", "cat", "numbers"])
def test_imports_and_exports_are_those_the_engine_says(source):
    program = wasi_host.Module(source, cache=False)
    compiled, found = program.variant(Mode()).compiled, read_sections(program.wasm)
    assert found.imports == compiled.imports
    assert found.exports == compiled.exports


def test_memories_tables_start_and_producers_are_read():
    source = module(
        "(table 3 9 funcref) (func $f) (start $f)", NOTHING, memory='(memory (export "memory") 2)'
    )
    found = read_sections(wasi_host.Module(source).wasm)
    assert (found.memories, found.tables) == ([Range(2, None, 0)], [Range(3, 9, 1)])
    assert found.start


def test_what_made_a_module_is_read_and_nonsense_there_is_passed_over():
    plain = wasi_host.Module(module(NOTHING)).wasm
    names = b"\x09producers"
    said = b"\x01\x0cprocessed-by\x01\x05clang\x0217"
    for body, expected in ((said, [("processed-by", "clang", "17")]), (said[:-1], []), (b"", [])):
        data = names + body
        wasm = plain + bytes((0, len(data))) + data
        assert read_sections(wasm).producers == expected
        assert wasi_host.run([wasm]).returncode == 0


def test_a_capped_module_grows_no_further():
    source = command(
        """(loop $more (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 1)))))
        (call $proc_exit (i32.add (memory.size)
          (i32.mul (i32.const 1000) (table.grow $t (ref.null func) (i32.const 1)))))""",
        "(table $t 8192 funcref)",
        wasi=["proc_exit"],
    )
    wasm = capped(wasi_host.Module(source).wasm, PAGE)
    assert wasi_host.run([wasm]).returncode == 2**32 + 1 - 1000


def test_a_maximum_of_its_own_stays_where_it_is_smaller():
    source = wasi_host.Module(module(NOTHING, memory='(memory (export "memory") 1 3)')).wasm
    assert read_sections(capped(source, 100 * PAGE)).memories == [Range(1, 3, 1)]
    assert read_sections(capped(source, 2 * PAGE)).memories == [Range(1, 2, 1)]


@pytest.mark.parametrize("seed", range(3))
def test_spoilt_modules_are_refused_or_read_and_never_anything_else(seed):
    whole = FILES[0].read_bytes()[:3000]
    chance = random.Random(seed)
    for _ in range(500):
        data = bytearray(whole[: chance.randrange(len(whole))])
        for _ in range(chance.randrange(4)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read_sections(bytes(data))
        except wasi_host.NotAWasiModule:
            continue
