import pytest

from tests.layers.hosts import Wrapped, files
from tests.layers.test_trace import outcome
from tests.preview1.calls import an_instance
from wasi_host.errors import NOTCAPABLE, PERM, ProcExit, wasi_error
from wasi_host.fs.memory import Link, MemoryFS
from wasi_host.layers.trace import Trace
from wasi_spec import Errno


def hints(*calls, host=None, **answers):
    trace = Trace()
    wrapped = Wrapped(trace, host=host, **answers)
    for name, *given in (("fd_prestat_dir_name", 3, 9), *calls):
        outcome(getattr(wrapped, name), *given)
    return trace.hints


DIRECTORY = {"fd_prestat_dir_name": b"/data"}


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x"])
def test_a_path_that_leads_out_hints_at_its_directory(path):
    (hint,) = hints(("path_open", 3, 0, path, 0, 2, 0, 0), host=files({"a": {}}))
    assert f'"{path}" leads out of /: give the directory it is in too, with --dir' in hint


def test_a_link_that_leads_out_hints_at_where_it_leads():
    (hint,) = hints(("path_open", 3, 1, "l", 0, 2, 0, 0), host=files({"l": Link("../x")}))
    assert hint.startswith('a symbolic link on the way of "l" leads out of /')


@pytest.mark.parametrize("call", [
    ("path_open", 3, 0, "new", 1, 2, 0, 0), ("path_open", 3, 0, "f", 0, 0x40, 0, 0),
    ("path_unlink_file", 3, "f"), ("path_create_directory", 3, "new"),
], ids=["create", "open for writing", "unlink", "mkdir"])  # fmt: skip
def test_a_change_in_a_readonly_directory_hints_at_the_flag(call):
    host = an_instance(MemoryFS({"f": b""}, readonly=True).open_root())
    (hint,) = hints(call, host=host)
    assert "/ was given for reading only: give it with --dir" in hint
    assert "not --ro-dir" in hint


def test_a_readonly_filesystem_hints_so_too():
    failing = wasi_error(Errno.ROFS)
    (hint,) = hints(("path_unlink_file", 3, "f"), path_unlink_file=failing, **DIRECTORY)
    assert '"f" cannot be changed, /data was given for reading only' in hint


def test_a_missing_right_hints_at_the_grant():
    (hint,) = hints(("fd_write", 3, b""), fd_write=NOTCAPABLE, **DIRECTORY)
    assert hint.startswith("fd_write on /data: a right was withheld or dropped")


def test_both_paths_of_a_rename_are_looked_at():
    found = hints(("path_rename", 3, "../a", 3, "../b"), path_rename=PERM, **DIRECTORY)
    assert [hint.split()[0] for hint in found] == ['"../a"', '"../b"']


def test_the_text_of_a_symbolic_link_is_no_path_of_a_directory():
    (hint,) = hints(("path_symlink", "/etc", 3, "l"), path_symlink=PERM, **DIRECTORY)
    assert hint.startswith('"l" cannot be changed')


def test_a_hint_is_given_once_and_not_too_many():
    same = hints(*[("path_open", 3, 0, "../x", 0, 2, 0, 0)] * 3, path_open=PERM, **DIRECTORY)
    assert len(same) == 1
    calls = [("path_open", 3, 0, f"../{n}", 0, 2, 0, 0) for n in range(100)]
    assert len(hints(*calls, path_open=PERM, **DIRECTORY)) == 16


def test_a_failure_without_a_call_on_a_path_names_the_directories_given():
    (hint,) = hints(("proc_exit", 1), proc_exit=ProcExit(1), **DIRECTORY)
    assert hint.endswith("Directories it was given: /data")
    assert "failed without a call on any path" in hint


def test_a_failure_without_any_directory_says_none():
    trace = Trace()
    outcome(Wrapped(trace, proc_exit=ProcExit(2)).proc_exit, 2)
    assert trace.hints[0].endswith("Directories it was given: none")


@pytest.mark.parametrize("calls", [
    [("proc_exit", 0)], [("path_filestat_get", 3, 0, "x"), ("proc_exit", 1)], [],
], ids=["success", "a path was asked for", "no exit"])  # fmt: skip
def test_no_such_hint_else(calls):
    code = calls[-1][1] if calls else 0
    assert hints(*calls, proc_exit=ProcExit(code), **DIRECTORY) == []


def test_hints_stand_at_the_end_of_the_text():
    trace = Trace(only=["random"])
    host = Wrapped(trace, path_open=PERM)
    outcome(host.path_open, 3, 0, "../x", 0, 2, 0, 0)
    assert str(trace).startswith('hint: "../x" leads out of descriptor 3')
