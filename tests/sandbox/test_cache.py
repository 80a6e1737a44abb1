"""Compiled modules on disk: what is found, what is kept, and what a child compiles."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

import wasi_host
from tests.sandbox.caches import GREP, entry, old_program, prepare, recorded
from wasi_host.cache import Cache, digest, identity
from wasi_host.runtimes.contract import Mode
from wasi_host.runtimes.wasmtime_engine import settings


@pytest.fixture
def place(tmp_path, monkeypatch):
    directory = tmp_path / "cache"
    monkeypatch.setenv("WASI_HOST_CACHE", str(directory))
    return directory


@pytest.fixture
def compiled(monkeypatch):
    """Whether with epoch checks, of each compilation in order."""
    return recorded(monkeypatch, "compile_module")


@pytest.fixture
def program(tmp_path):
    return old_program(tmp_path)


def test_the_second_time_nothing_is_compiled(place, compiled, program):
    prepare(program)
    prepare(program)
    assert compiled == [False]


def test_the_second_time_the_module_is_not_even_read(place, compiled, program, monkeypatch):
    prepare(program)
    monkeypatch.setattr(wasi_host.Module, "_read", lambda self: pytest.fail("read"))
    assert prepare(program).compiled.exports["_start"].kind == "function"


def test_a_module_from_the_cache_runs(place, compiled, program):
    prepare(program)
    done = wasi_host.run([wasi_host.Module(program), "b"], input=b"abc\nx\n", stdout=wasi_host.PIPE)
    assert (done.returncode, done.stdout, compiled) == (0, b"abc\n", [False])


def test_modules_with_and_without_epoch_checks_are_kept_apart(place, compiled, program):
    prepare(program)
    prepare(program, epochs=True)
    prepare(program)
    prepare(program, epochs=True)
    assert compiled == [False, True]
    assert len(list(place.glob("*.cwasm"))) == 2


SMALL = b'(module (memory (export "memory") 1) (func (export "_start")))'


def test_a_small_program_in_a_settled_file_is_kept_like_any_other(place, compiled, tmp_path):
    path = tmp_path / "small.wat"
    path.write_bytes(SMALL)
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))
    prepare(path)
    prepare(path)
    assert compiled == [False]


def test_a_small_program_given_as_bytes_or_written_just_now_is_not_kept(place, compiled, tmp_path):
    path = tmp_path / "small.wat"
    path.write_bytes(SMALL)
    for given in (path, path, SMALL, SMALL):
        prepare(given)
    assert compiled == [False] * 4
    assert not place.exists()


def test_an_entry_that_vanishes_while_room_is_made_is_passed_over(place, monkeypatch):
    cache = Cache(str(place))
    cache.keep("a" * 64, b"x" * 100)
    (place / "gone.cwasm.1.2.part").write_bytes(b"")
    scandir = os.scandir

    class Vanishing:
        def __init__(self, entry):
            self.name, self.path, self._entry = entry.name, entry.path, entry

        def stat(self, *, follow_symlinks):
            if self.name.endswith(".part"):
                raise FileNotFoundError
            return self._entry.stat(follow_symlinks=follow_symlinks)

    @contextmanager
    def vanishing(directory):
        with scandir(directory) as entries:
            yield map(Vanishing, entries)

    monkeypatch.setattr(os, "scandir", vanishing)
    monkeypatch.setattr("wasi_host.cache.LARGEST_CACHE", 150)
    cache.keep("b" * 64, b"x" * 100)
    assert sorted(path.name for path in place.glob("*.cwasm")) == [f"{'b' * 64}.cwasm"]


def test_bytes_are_found_by_their_content(place, compiled, program):
    prepare(program.read_bytes())
    prepare(program)
    assert compiled == [False]


def test_a_changed_file_is_compiled_again(place, compiled, program):
    prepare(program)
    program.write_bytes(program.read_bytes() + b"\0\x02\x01x")
    os.utime(program, ns=(10**18 + 5, 10**18 + 5))
    prepare(program)
    assert compiled == [False, False]


def test_a_file_that_changed_just_now_is_not_noted_by_its_times(place, program):
    os.utime(program)
    prepare(program)
    assert not list(place.glob("*.file"))


def test_another_file_with_the_same_inode_and_times_is_not_taken_for_the_first(place, program):
    prepare(program)
    cache, file = Cache(str(place)), identity(str(program))
    assert cache.name_for(file, settings(Mode()))
    assert cache.name_for(file._replace(path="/elsewhere"), settings(Mode())) is None


def test_without_the_cache_nothing_is_kept(place, compiled, program):
    prepare(program, cache=False)
    prepare(program, cache=False)
    assert (compiled, place.exists()) == ([False, False], False)


def test_an_empty_variable_turns_the_cache_off(monkeypatch, compiled, program):
    monkeypatch.setenv("WASI_HOST_CACHE", "")
    prepare(program)
    prepare(program)
    assert compiled == [False, False]


def test_the_directory_is_ours_alone(place, program):
    prepare(program)
    assert place.stat().st_mode & 0o777 == 0o700
    assert entry(place).stat().st_mode & 0o777 == 0o600


def test_a_whole_entry_that_the_engine_refuses_is_made_anew(place, compiled, program):
    prepare(program)
    name = entry(place).stem
    Cache(str(place)).keep(name, b"\x7fELF" + bytes(100_000))
    prepare(program)
    prepare(program)
    assert compiled == [False, False]


def test_every_setting_of_the_engine_is_part_of_the_name():
    assert digest(b"x", settings(Mode())) != digest(b"x", settings(Mode(epochs=True)))
    assert digest(b"x", settings(Mode())) != digest(b"y", settings(Mode()))


def test_the_oldest_entries_go_when_there_is_too_much(place, monkeypatch):
    monkeypatch.setattr("wasi_host.cache.LARGEST_CACHE", 250)
    cache = Cache(str(place))
    for age, name in enumerate(("new", "old", "older")):
        cache.keep(name, bytes(100))
        then = time.time() - 1000 * age
        os.utime(place / f"{name}.cwasm", (then, then))
    cache.keep("newest", bytes(100))
    assert {path.stem for path in place.glob("*.cwasm")} == {"newest", "new"}


def test_a_precompiled_file_is_run(place, program, tmp_path):
    prepare(program)
    path = tmp_path / "grep.cwasm"
    path.write_bytes(entry(place).read_bytes())
    done = wasi_host.run([path, "b"], input=b"abc\n", stdout=wasi_host.PIPE)
    assert done.stdout == b"abc\n"


def test_a_precompiled_file_of_other_settings_says_so(place, program, tmp_path):
    prepare(program)
    path = tmp_path / "grep.cwasm"
    path.write_bytes(entry(place).read_bytes())
    with pytest.raises(wasi_host.NotAWasiModule, match=r"grep\.cwasm"):
        wasi_host.run([path, "b"], timeout=5)


def test_a_forked_child_compiles_what_its_parent_did_not():
    code = (
        "import os, wasi_host\n"
        f"data = open({str(GREP)!r}, 'rb').read()\n"
        "wasi_host.Module(data, cache=False).variant(wasi_host.modules.Mode())\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    module = wasi_host.Module(data, cache=False)\n"
        "    done = wasi_host.run([module, 'b'], input=b'abc', stdout=wasi_host.PIPE)\n"
        "    os._exit(0 if done.stdout == b'abc\\n' else 1)\n"
        "print(os.waitpid(child, 0)[1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, timeout=60, check=False
    )
    assert done.stdout == b"0\n", done.stderr
