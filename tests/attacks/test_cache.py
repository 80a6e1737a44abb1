"""Catalogue P 88 and 89: the cache of compiled modules, spoilt, foreign, full, and torn off."""

import os
import subprocess
import sys
import time

import pytest

import wasi_host
from tests.sandbox.caches import entry, old_program, prepare, recorded
from wasi_host import modules
from wasi_host.cache import Cache
from wasi_host.runtimes import wasmtime_capi
from wasi_host.runtimes.contract import Mode
from wasi_host.runtimes.wasmtime_engine import settings


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The cache directory, which is not there yet."""
    directory = tmp_path / "cache"
    monkeypatch.setenv("WASI_HOST_CACHE", str(directory))
    return directory


@pytest.fixture
def program(tmp_path):
    return old_program(tmp_path)


@pytest.fixture
def compiled(monkeypatch):
    """One item for each compilation."""
    return recorded(monkeypatch, "compile_module")


@pytest.fixture
def loaded(monkeypatch):
    """The paths that were given to the engine as native code."""
    return recorded(monkeypatch, "load_compiled")


def works(program):
    """Tell whether the program, loaded anew, does what it should."""
    done = wasi_host.run(
        [wasi_host.Module(program), "b"], input=b"abc\nx\n", stdout=subprocess.PIPE
    )
    return (done.returncode, done.stdout) == (0, b"abc\n")


# 88


def replace(path, data):
    path.write_bytes(data(path.read_bytes()))


def as_link(path):
    path.rename(path.parent / "elsewhere")
    path.symlink_to("elsewhere")


def as_fifo(path):
    path.unlink()
    os.mkfifo(path)


SPOILERS = {
    "torn": lambda path: os.truncate(path, path.stat().st_size // 2),
    "torn after one byte": lambda path: os.truncate(path, 1),
    "empty": lambda path: os.truncate(path, 0),
    "longer": lambda path: replace(path, lambda data: data + b"x"),
    "changed at its beginning": lambda path: replace(path, lambda data: b"zzzz" + data[4:]),
    "changed at its end": lambda path: replace(path, lambda data: data[:-1] + b"z"),
    "a hole at its end": lambda path: replace(path, lambda data: data[:-4096] + bytes(4096)),
    "writable by all": lambda path: path.chmod(0o666),
    "writable by the group": lambda path: path.chmod(0o660),
    "a link": as_link,
    "a link into nothing": lambda path: (path.unlink(), path.symlink_to("missing")),
    "a directory": lambda path: (path.unlink(), path.mkdir()),
    "a fifo": as_fifo,
    "gone": lambda path: path.unlink(),
}
spoilers = pytest.mark.parametrize("spoil", SPOILERS.values(), ids=SPOILERS)


@spoilers
@pytest.mark.parametrize("kind", ["cwasm", "note"])
def test_p88_a_spoilt_entry_is_recompiled_and_never_executed(
    cache, compiled, loaded, program, spoil, kind
):
    prepare(program)
    path = entry(cache)
    spoil(path.with_suffix(f".{kind}"))
    assert works(program)
    assert (len(compiled), loaded) == (2, [])


@pytest.mark.parametrize("kind", ["cwasm", "note"])
@pytest.mark.parametrize("spoil", ["torn", "empty", "a link", "gone"])
def test_p88_a_spoilt_entry_is_made_whole_again(cache, compiled, loaded, program, spoil, kind):
    prepare(program)
    path = entry(cache)
    SPOILERS[spoil](path.with_suffix(f".{kind}"))
    prepare(program)
    assert works(program)
    assert (len(compiled), loaded) == (2, [str(path)])


@spoilers
def test_p88_a_spoilt_index_costs_a_look_at_the_module(cache, compiled, program, spoil):
    prepare(program)
    (index,) = cache.glob("*.file")
    spoil(index)
    assert works(program)
    assert len(compiled) <= 2


def belonging_to_another(monkeypatch, path):
    """Let the host say that a file is somebody else's, who need not be there."""
    inode = os.lstat(path).st_ino
    for name in ("fstat", "lstat"):
        right = getattr(os, name)

        def foreign(which, right=right, **options):
            st = right(which, **options)
            if st.st_ino != inode:
                return st
            return os.stat_result((*st[:4], os.geteuid() + 1, *st[5:]))

        monkeypatch.setattr(os, name, foreign)


@pytest.mark.parametrize("kind", ["entry", "note", "directory"])
def test_p88_an_entry_of_somebody_else_is_recompiled_and_never_executed(
    cache, compiled, loaded, program, monkeypatch, kind
):
    prepare(program)
    path = entry(cache)
    whose = {"entry": path, "note": path.with_suffix(".note"), "directory": cache}[kind]
    belonging_to_another(monkeypatch, whose)
    assert works(program)
    assert (len(compiled), loaded) == (2, [])


def test_p88_an_index_of_somebody_else_is_not_believed(cache, loaded, program, monkeypatch):
    prepare(program)
    (index,) = cache.glob("*.file")
    index.write_bytes(b"0" * 64 + b" " + os.fsencode(program))
    belonging_to_another(monkeypatch, index)
    assert works(program)
    assert loaded == [str(entry(cache))]


@pytest.mark.parametrize(
    "name", [b"../outside", b"/etc/passwd", b"", b"x" * 300, b"a\0b", b"\xff", b"/" + b"0" * 63]
)
def test_p88_an_index_with_nonsense_leads_nowhere(cache, program, name):
    prepare(program)
    (index,) = cache.glob("*.file")
    index.write_bytes(name + b" " + os.fsencode(program))
    assert works(program)


def test_p88_entries_of_another_version_are_not_even_found(
    cache, compiled, loaded, program, monkeypatch
):
    prepare(program)
    monkeypatch.setattr(wasmtime_capi, "version", lambda: "999.0.0")
    assert "999.0.0" in settings(Mode())
    assert works(program)
    assert (len(compiled), loaded) == (2, [])


def test_p88_code_of_another_version_under_our_name_is_recompiled(cache, compiled, loaded, program):
    prepare(program)
    path = entry(cache)
    major = wasmtime_capi.version().split(".")[0].encode()
    written = bytes([len(major)]) + major
    artifact = path.read_bytes()
    if artifact.count(written) != 1:
        pytest.skip("this engine writes its version in another way")
    other = artifact.replace(written, bytes([len(major)]) + b"9" * len(major))
    Cache(str(cache)).keep(path.stem, other)
    assert works(program)
    assert (len(compiled), loaded) == (2, [str(path)])  # looked at by the engine, and refused
    assert works(program)
    assert len(compiled) == 2


def test_p88_code_of_other_settings_under_our_name_is_recompiled(cache, compiled, program):
    prepare(program)
    path = entry(cache)
    prepare(program, epochs=True)
    (other,) = set(cache.glob("*.cwasm")) - {path}
    Cache(str(cache)).keep(path.stem, other.read_bytes())
    assert works(program)
    assert compiled == [False, True, False]


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702], ids=oct)
def test_p88_a_directory_that_others_may_write_to_is_not_used(cache, compiled, program, mode):
    cache.mkdir()
    cache.chmod(mode)
    assert works(program)
    assert works(program)
    assert (len(compiled), list(cache.iterdir())) == (2, [])


@pytest.mark.parametrize("kind", ["to a directory", "into nothing"])
def test_p88_a_directory_that_is_a_link_is_not_used(cache, compiled, program, tmp_path, kind):
    if kind == "to a directory":
        (tmp_path / "real").mkdir(mode=0o700)
    cache.symlink_to("real")
    assert works(program)
    assert works(program)
    assert len(compiled) == 2
    assert not list(tmp_path.glob("real/*"))


RUNS = """
import sys, wasi_host
done = wasi_host.run([sys.argv[1], 'b'], input=b'abc', stdout=wasi_host.PIPE)
print(done.stdout.decode(), end='')
"""


def test_p88_processes_that_compile_at_once_are_safe(cache, compiled, program):
    children = [
        subprocess.Popen([sys.executable, "-c", RUNS, program], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    assert [child.communicate()[0] for child in children] == [b"abc\n"] * 3
    assert sorted(path.suffix for path in cache.iterdir()) == [".cwasm", ".file", ".note"]
    assert works(program)
    assert compiled == []


def test_p88_a_directory_that_cannot_be_made_costs_only_time(
    monkeypatch, compiled, program, tmp_path
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("WASI_HOST_CACHE", str(tmp_path / "file" / "cache"))
    assert works(program)
    assert works(program)
    assert len(compiled) == 2


def refusing(monkeypatch, name, number, when=lambda *arguments: True):
    """Make a host call fail where it is made for the cache."""
    right = getattr(os, name)

    def failing(*arguments, **options):
        if when(*arguments):
            raise OSError(number, os.strerror(number))
        return right(*arguments, **options)

    monkeypatch.setattr(os, name, failing)


def writing(path, flags, *_):
    return bool(flags & os.O_CREAT) and str(path).endswith(".part")


FAILURES = {
    "not writable": ("open", 13, writing),
    "read-only": ("open", 30, writing),
    "without an inode left": ("open", 28, writing),
    "full when it is written through": ("fsync", 28, lambda *_: True),
    "failing": ("fsync", 5, lambda *_: True),
    "full when the name changes": ("replace", 28, lambda *_: True),
    "not to be listed": ("scandir", 13, lambda *_: True),
    "not to be touched": ("utime", 1, lambda *_: True),
}


@pytest.mark.parametrize(("name", "number", "when"), FAILURES.values(), ids=FAILURES)
def test_p88_a_directory_that_is_so_costs_only_time_and_holds_no_half(
    cache, program, monkeypatch, name, number, when
):
    refusing(monkeypatch, name, number, when)
    assert works(program)
    assert works(program)
    assert not list(cache.glob("*.part"))
    monkeypatch.undo()
    monkeypatch.setenv("WASI_HOST_CACHE", str(cache))
    assert works(program)


LIMITED = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
{RUNS}
"""


def test_p88_a_disk_that_is_full_midway_costs_only_time_and_holds_no_half(cache, program):
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, program], capture_output=True, check=False
        )
        assert (done.stdout, done.stderr) == (b"abc\n", b"")
        assert not list(cache.glob("*.part")) + list(cache.glob("*.cwasm"))


# 89

#: Ends itself without a word as the step named comes for the so many'th time.
KILLED = f"""
import os, signal, sys
from wasi_host import cache
step, count = sys.argv.pop(), [int(sys.argv.pop())]

def end():
    os.kill(os.getpid(), signal.SIGKILL)

def counted(right):
    def call(*arguments, **options):
        count[0] -= 1
        if not count[0]:
            end()
        return right(*arguments, **options)
    return call

if step == 'half':
    def half(fd, *arguments, **options):
        def write(rest):
            os.write(fd, rest[:len(rest) // 2])
            end()
        file = open(fd, *arguments, **options)
        class Half:
            def __enter__(self): return self
            def __exit__(self, *_): file.close()
            def write(self, rest):
                count[0] -= 1
                if not count[0]:
                    write(rest)
                return file.write(rest)
            def fileno(self): return fd
        return Half()
    cache.open = half
else:
    setattr(os, step, counted(getattr(os, step)))
{RUNS}
"""
#: Of each entry's three files: as half of it is written, before it is written through, and
#: before it gets its name.
STEPS = [(step, count) for count in (1, 2, 3) for step in ("half", "fsync", "replace")]
steps = pytest.mark.parametrize(("step", "count"), STEPS)


def killed(program, step, count):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, program, str(count), step], capture_output=True, check=False
    )
    assert done.returncode == -9, (done.returncode, done.stdout, done.stderr)


@steps
def test_p89_a_writer_killed_leaves_nothing_half_under_its_name(
    cache, compiled, loaded, program, step, count
):
    killed(program, step, count)
    whole = modules.compile_module(program.read_bytes(), Mode()).serialize()
    for path in cache.glob("*.cwasm"):
        assert path.stat().st_size == len(whole)
    compiled.clear()
    assert works(program)
    assert works(program)
    assert len(compiled) <= 1
    assert loaded != []


@steps
def test_p89_a_writer_killed_over_an_old_entry_leaves_old_or_new(
    cache, compiled, loaded, program, step, count
):
    prepare(program)
    path = entry(cache)
    (index,) = cache.glob("*.file")
    old = path.read_bytes()
    index.unlink()
    os.truncate(path.with_suffix(".note"), 0)  # so that it is written again
    killed(program, step, count)
    assert path.read_bytes() == old
    compiled.clear()
    assert works(program)
    assert works(program)
    assert len(compiled) <= 1


def test_p89_what_a_killed_writer_left_goes_after_an_hour(cache, program):
    killed(program, "replace", 1)
    (left,) = cache.glob("*.part")
    wasm = program.read_bytes()
    prepare(wasm + b"\0\x02\x01x")
    assert left.exists()
    then = time.time() - 4000
    os.utime(left, (then, then))
    prepare(wasm + b"\0\x02\x01y")
    assert not left.exists()
