"""Importing pyfilesystem2 where setuptools has no pkg_resources, in processes of their own."""

import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

HIDDEN = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDE:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
for name in [name for name in sys.modules if name.partition(".")[0] in HIDE]:
    del sys.modules[name]
from wasi_host.fs.pyfs_import import import_fs
"""


def child(program, hide=(), path=()):
    """Runs a program with warnings as errors and some modules missing; returns what it said."""
    text = f"HIDE = {set(hide)!r}\n{HIDDEN}\n{textwrap.dedent(program)}"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text],
        env={"PYTHONPATH": ":".join(map(str, [*path, ROOT])), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_without_pkg_resources_it_is_imported_and_nothing_is_left_in_its_place():
    program = """
    assert import_fs() is sys.modules["fs"]
    assert "pkg_resources" not in sys.modules
    import fs, fs.opener, fs.osfs, fs.tarfs, fs.test, fs.zipfs
    assert fs.open_fs("mem://").listdir("/") == []
    assert "zip" in fs.opener.registry.protocols
    try:
        fs.open_fs("nothing://x")
    except fs.opener.errors.UnsupportedProtocol:
        print("unsupported")
    """
    assert child(program, hide=["pkg_resources"]) == ["unsupported"]


def test_with_a_pkg_resources_that_warns_there_is_no_warning(tmp_path):
    (tmp_path / "pkg_resources.py").write_text(
        "import warnings\n"
        "warnings.warn('deprecated', UserWarning)\n"
        "def declare_namespace(name): warnings.warn('deprecated', DeprecationWarning)\n"
        "def iter_entry_points(group, name=None): return iter(())\n"
    )
    program = """
    import_fs()
    print(sys.modules["pkg_resources"].__file__)
    """
    assert child(program, path=[tmp_path]) == [str(tmp_path / "pkg_resources.py")]


def test_threads_that_import_it_at_once_all_get_it():
    program = """
    import threading
    got = []
    threads = [threading.Thread(target=lambda: got.append(import_fs())) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert got == [sys.modules["fs"]] * 8
    assert "pkg_resources" not in sys.modules
    """
    child(program, hide=["pkg_resources"])


def test_where_it_is_not_installed_the_error_names_it():
    program = """
    try:
        import_fs()
    except ModuleNotFoundError as error:
        print(error.name)
    assert "pkg_resources" not in sys.modules
    """
    assert child(program, hide=["pkg_resources", "fs"]) == ["fs"]


def test_exporting_needs_nothing_that_somebody_else_imported():
    program = """
    from wasi_host import as_pyfilesystem
    exported = as_pyfilesystem({"a": {"b": b"c"}})
    print(*exported.walk.files(), exported.readtext("a/b"))
    """
    assert child(program, hide=["pkg_resources"]) == ["/a/b", "c"]


def test_the_adapter_itself_imports_nothing_of_it():
    program = """
    import wasi_host.sources
    from wasi_host.fs.pyfs import PyFilesystem
    from wasi_host.fs.source import is_pyfilesystem
    assert not is_pyfilesystem("mem://")
    print(*[name for name in sys.modules if name.partition(".")[0] == "fs"])
    """
    assert child(program) == []
