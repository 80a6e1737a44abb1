"""The reusable recipe, its directories and limits, and live instances."""

import pickle
import subprocess
from pathlib import Path

import pytest

import wasi_host
from tests.runtimes.guests import module, run, writes
from tests.sandbox.programs import CREATE, ENVIRON, NUMBERS, OPEN, OPEN_MANY, PREOPENS, says
from wasi_host.modules import KEPT_BINDINGS
from wasi_spec import Errno, Rights

# ---- directories ------------------------------------------------------------------------------


def opening(source, program=OPEN, **keywords):
    return Errno(run(program, dirs={"/": source}, **keywords).returncode)


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "file").write_text("here")
    return tmp_path


@pytest.mark.parametrize("kind", ["str", "path", "HostDir", "dict", "MemoryFS", "copied"])
def test_a_directory_may_be_given_in_many_ways(kind, directory):
    sources = {
        "str": str(directory),
        "path": directory,
        "HostDir": wasi_host.HostDir(directory),
        "dict": {"file": b"here"},
        "MemoryFS": wasi_host.MemoryFS({"file": "here"}),
        "copied": wasi_host.MemoryFS(directory),
    }
    assert opening(sources[kind]) is Errno.SUCCESS


def test_without_directories_there_are_none():
    assert run(PREOPENS).stdout == b""
    assert run(OPEN).returncode == Errno.BADF


def test_directories_have_the_order_and_names_they_were_given():
    dirs = {"/z": {}, ".": {}, "/ä": {}, "a b": {}}
    assert run(PREOPENS, dirs=dirs).stdout.decode().splitlines() == list(dirs)


def test_a_read_only_directory_refuses_changes(directory):
    assert opening(wasi_host.HostDir(directory, readonly=True), CREATE) is Errno.PERM
    assert opening(wasi_host.HostDir(directory, readonly=True)) is Errno.SUCCESS


def test_a_dict_is_a_fresh_tree_for_each_run_and_a_memory_fs_is_kept():
    files = {}
    assert opening(files, CREATE) is Errno.SUCCESS
    assert opening(files) is Errno.NOENT
    kept = wasi_host.MemoryFS()
    assert opening(kept, CREATE) is Errno.SUCCESS
    assert opening(kept) is Errno.SUCCESS


WRONG_DIRS = {
    "a list": (TypeError, ["/"]),
    "a text": (TypeError, "/"),
    "a number as source": (TypeError, {"/": 5}),
    "None as source": (TypeError, {"/": None}),
    "bytes as source": (TypeError, {"/": b"data"}),
    "a number as name": (TypeError, {5: {}}),
    "bytes as name": (TypeError, {b"/": {}}),
    "an empty name": (ValueError, {"": {}}),
    "a name with a NUL": (ValueError, {"a\0": {}}),
    "a name with a lone surrogate": (ValueError, {"\udc80": {}}),
    "/ and . apart": (ValueError, {"/": {}, ".": {"a": b""}}),
    "a missing directory": (FileNotFoundError, {"/": "/missing/directory"}),
    "a number in the tree": (TypeError, {"/": {"file": 5}}),
}


@pytest.mark.parametrize(("error", "dirs"), WRONG_DIRS.values(), ids=WRONG_DIRS)
def test_a_wrong_directory_is_refused_before_anything_runs(error, dirs):
    with pytest.raises(error):
        wasi_host.Sandbox(PREOPENS, dirs=dirs)


# ---- rights and limits ------------------------------------------------------------------------


def test_rights_that_were_not_granted_are_not_there():
    files = {"file": b"here"}
    assert opening(files, rights=Rights.PATH_OPEN | Rights.FD_READ) is Errno.SUCCESS
    assert opening(files, rights=Rights.FD_READ) is Errno.NOTCAPABLE


def test_open_files_count_everything_and_the_result_says_it_was_reached():
    limits = wasi_host.Limits(open_files=10)
    result = run(OPEN_MANY, dirs={"/": {"file": b""}}, limits=limits)
    assert (result.returncode, result.limits_hit) == (6, {"open_files"})


def test_limits_that_were_not_reached_are_not_named():
    assert run(OPEN, dirs={"/": {"file": b""}}).limits_hit == frozenset()


def test_too_few_open_files_for_the_directories_is_told():
    with pytest.raises(ValueError, match="open_files"):
        run(PREOPENS, dirs={"/": {}}, limits=wasi_host.Limits(open_files=3))


WRONG_LIMITS = {
    "too little memory": (ValueError, {"memory": 65_535}),
    "negative memory": (ValueError, {"memory": -1}),
    "memory as text": (TypeError, {"memory": "1G"}),
    "memory as float": (TypeError, {"memory": 1e9}),
    "no memory": (TypeError, {"memory": None}),
    "too few open files": (ValueError, {"open_files": 2}),
    "open files as float": (TypeError, {"open_files": 10.0}),
    "negative bytes of files": (ValueError, {"fs_bytes": -1}),
    "inodes without number": (TypeError, {"inodes": None}),
    "an imagined limit": (TypeError, {"patience": 1}),
}


@pytest.mark.parametrize(("error", "keywords"), WRONG_LIMITS.values(), ids=WRONG_LIMITS)
def test_a_wrong_limit_is_refused(error, keywords):
    with pytest.raises(error):
        wasi_host.Limits(**keywords)


def test_limits_compare_pickle_and_cannot_be_changed():
    limits = wasi_host.Limits(memory=1 << 20)
    assert pickle.loads(pickle.dumps(limits)) == limits != wasi_host.Limits()
    with pytest.raises(AttributeError):
        limits.memory = 1


# ---- the recipe -------------------------------------------------------------------------------


def test_a_sandbox_runs_again_and_again():
    sandbox = wasi_host.Sandbox(says("hello"))
    for _ in range(3):
        assert sandbox.run(capture_output=True).stdout == b"hello"


def test_an_environment_of_a_run_takes_the_place_of_the_sandboxs():
    sandbox = wasi_host.Sandbox(ENVIRON, env={"A": "1"})
    assert sandbox.run(capture_output=True).stdout == b"A=1\0"
    assert sandbox.run(capture_output=True, env={"B": "2"}).stdout == b"B=2\0"
    assert sandbox.run(capture_output=True, env={}).stdout == b""


def test_replace_changes_what_is_named_and_keeps_the_rest():
    sandbox = wasi_host.Sandbox(OPEN, dirs={"/": {"file": b""}}, env={"A": "1"})
    assert sandbox.replace(dirs=None).run().returncode == Errno.BADF
    assert sandbox.replace(env=None).run().returncode == Errno.SUCCESS
    assert sandbox.replace(module=ENVIRON).run(capture_output=True).stdout == b"A=1\0"
    assert sandbox.run().returncode == Errno.SUCCESS


def test_replace_refuses_what_is_no_argument():
    with pytest.raises(TypeError):
        wasi_host.Sandbox(OPEN).replace(imagined=1)


def test_a_sandbox_cannot_be_changed():
    sandbox = wasi_host.Sandbox(OPEN)
    with pytest.raises(AttributeError):
        sandbox.dirs = {}


@pytest.mark.parametrize("source", ["dict", "path"])
def test_a_sandbox_of_paths_and_bytes_pickles(source, directory):
    dirs = {"/": directory if source == "path" else {"file": b"here"}}
    limits = wasi_host.Limits(open_files=10)
    sandbox = wasi_host.Sandbox(OPEN_MANY, dirs=dirs, limits=limits)
    again = pickle.loads(pickle.dumps(sandbox))
    assert again.run().returncode == 6


def test_a_sandbox_shows_its_module_and_directories():
    sandbox = wasi_host.Sandbox(OPEN, dirs={"/data": {}})
    assert repr(sandbox) == "Sandbox('module', dirs=['/data'])"


def test_a_missing_module_is_told_at_once():
    with pytest.raises(FileNotFoundError):
        wasi_host.Sandbox(Path("/missing/module.wasm"))


# ---- instances --------------------------------------------------------------------------------


@pytest.fixture
def guest():
    with wasi_host.Sandbox(NUMBERS).instantiate() as guest:
        yield guest


def test_an_instance_was_initialized_and_keeps_its_state(guest):
    assert guest.call("ready") == 7
    guest.memory[100] = 5
    assert guest.memory[100] == 5


def test_an_instance_lists_its_functions(guest):
    names = ["add", "half", "pair", "nothing", "boom", "_initialize", "ready"]
    assert guest.exports == names


def test_an_instance_goes_on_after_a_trap(guest):
    with pytest.raises(wasi_host.Trap) as trap:
        guest.call("boom")
    assert trap.value.cause == "unreachable"
    assert guest.call("add", 1, 2) == 3


def test_an_instance_shows_what_it_wrote_so_far():
    body, data = writes("hello")
    source = module(f'(func (export "say") {body})', data, wasi=["fd_write"])
    with wasi_host.Sandbox(source).instantiate(
        stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as guest:
        assert (guest.stdout, guest.stderr) == (b"", b"")
        guest.call("say")
        assert guest.stdout == b"hello"
        guest.call("say")
        assert guest.stdout == b"hellohello"


def test_every_public_name_is_there_and_no_other():
    for name in wasi_host.__all__:
        assert getattr(wasi_host, name) is not None
    assert set(wasi_host.__all__) <= set(dir(wasi_host))
    with pytest.raises(AttributeError, match="imagined"):
        wasi_host.imagined  # noqa: B018


def test_more_live_instances_than_bindings_are_kept_all_work_and_leave_the_sandbox_usable():
    source = module(
        "(global $n (mut i32) (i32.const 0))",
        '(func (export "count") (result i32)'
        " (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))",
        '(func (export "_start"))',
        wasi=["fd_write", "random_get"],
    )
    sandbox = wasi_host.Sandbox(source)
    for _ in range(2):
        live = [sandbox.instantiate() for _ in range(KEPT_BINDINGS + 10)]
        assert [instance.call("count") for instance in live] == [1] * len(live)
        assert [instance.call("count") for instance in reversed(live)] == [2] * len(live)
        for instance in live:
            instance.close()
        assert sandbox.run().returncode == 0
