"""Where the shared object is missing, switched off or of another version, Python serves."""

import os
import shutil
import subprocess
import sys

import pytest

import wasi_host
from tests.runtimes.guests import command
from wasi_host.native import build, library

SAY = (
    "from wasi_host.native.library import library, why_not; import wasi_host, sys; "
    "print(why_not() or 'native'); "
    "print(wasi_host.run([open(sys.argv[1], 'rb').read()], capture_output=True).returncode)"
)
EXIT_3 = command("(call $proc_exit (i32.const 3))", wasi=("proc_exit",))


def compiled(target, *extra):
    """Compile the native part to a file of its own."""
    try:
        command = build.compiler()
    except build.NoCompiler as error:
        pytest.skip(str(error))
    if shutil.which(command[0]) is None:
        pytest.skip(f"the variable CC names {command[0]}, which is not there")
    build.compile_to(target, command, *extra)
    return target


def said(tmp_path, variable):
    """What a process says that was started with this variable."""
    module = tmp_path / "exit.wat"
    module.write_bytes(EXIT_3)
    done = subprocess.run(
        [sys.executable, "-c", SAY, module],
        env={**os.environ, "WASI_HOST_NATIVE": str(variable), "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=True,
    )
    why, code = done.stdout.splitlines()
    assert code == "3"
    return why


def test_it_can_be_switched_off(tmp_path):
    assert "switched off" in said(tmp_path, "0")


def test_where_it_is_not_built_it_is_said_what_to_do(tmp_path):
    why = said(tmp_path, tmp_path / "missing.so")
    assert "not built" in why
    assert "C compiler" in why


def test_one_of_another_version_is_left_alone(tmp_path):
    other = compiled(tmp_path / "other.so", f"-DABI={library.ABI + 1}")
    assert f"version {library.ABI + 1}" in said(tmp_path, other)


def test_what_is_no_library_is_left_alone(tmp_path):
    wrong = tmp_path / "wrong.so"
    wrong.write_bytes(b"\x7fELF and no more")
    assert "cannot be loaded" in said(tmp_path, wrong)


def test_one_with_other_structs_is_left_alone(tmp_path, monkeypatch):
    whole = compiled(tmp_path / "whole.so")
    monkeypatch.setattr(library, "STRUCTURES", library.STRUCTURES[::-1])
    with pytest.raises(library.Unusable, match="another machine"):
        library.Library(str(whole))


def test_it_compiles_without_a_warning(tmp_path):
    assert compiled(tmp_path / "strict.so", "-Werror").stat().st_size


def test_without_a_compiler_it_is_said_how_to_get_one(monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(build.shutil, "which", lambda name: None)
    monkeypatch.setattr(build, "find_spec", lambda name: None)
    with pytest.raises(build.NoCompiler, match="ziglang"):
        build.compiler()


def test_a_compiler_named_in_cc_goes_first(monkeypatch):
    monkeypatch.setenv("CC", "my-cc --fast")
    assert build.compiler() == ["my-cc", "--fast"]


def test_a_compiler_that_fails_leaves_no_file_behind(tmp_path):
    with pytest.raises(RuntimeError, match="failed"):
        build.compile_to(tmp_path / "none.so", [sys.executable, "-c", "raise SystemExit(1)"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("row", ["clock_time_get", "random_get", "fd_fdstat_get"])
def test_a_guest_that_makes_nothing_but_native_calls_is_ended_by_the_timeout(row):
    arguments = {
        "clock_time_get": "(i32.const 1) (i64.const 0) (i32.const 8)",
        "random_get": "(i32.const 64) (i32.const 8)",
        "fd_fdstat_get": "(i32.const 1) (i32.const 64)",
    }[row]
    guest = command(f"(loop (drop (call ${row} {arguments})) (br 0))", wasi=(row,))
    done = wasi_host.run([guest], capture_output=True, limits=wasi_host.Limits(timeout=0.2))
    assert done.stopped == "timeout"


@pytest.mark.usefixtures("native")
def test_a_guest_that_is_counted_is_counted_whoever_could_serve():
    guest = command(
        "(drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 8)))" * 3,
        wasi=("clock_time_get",),
    )
    done = wasi_host.run([guest], trace=True, limits=wasi_host.Limits(calls=100))
    assert done.trace.calls == {"clock_time_get": 3}
