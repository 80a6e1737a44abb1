"""A filesystem from its URL."""

import sys

import pytest

from tests.fs.theirs import OSFS, TheirMemoryFS, ZipFS
from wasi_host.fs.host import HostDirectory
from wasi_host.fs.memory import MemoryFS
from wasi_host.fs.pyfs import PyFilesystem
from wasi_host.fs.source import filesystem_of
from wasi_host.fs.url import GROUP, filesystem_at

pytestmark = pytest.mark.filterwarnings("ignore::wasi_host.ForeignFilesystemWarning")

PLUGIN = """
from wasi_host.fs.memory import MemoryFS
asked = []
def made(url):
    asked.append(url)
    return MemoryFS({"from": url})
def wrong(url):
    return url
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A distribution that knows three schemes, one of them also pyfilesystem2's."""
    (tmp_path / "a_plugin.py").write_text(PLUGIN)
    installed = tmp_path / "a_plugin-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: a-plugin\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(
        f"[{GROUP}]\nours = a_plugin:made\nmem = a_plugin:made\nwrong = a_plugin:wrong\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("a_plugin", None)


def test_a_plugin_makes_the_filesystem_of_its_scheme_before_all_others(plugin):
    for url in ("ours://host/path?x=1", "mem://"):
        filesystem = filesystem_at(url, "x")
        assert isinstance(filesystem, MemoryFS)
        assert filesystem.read_bytes("from") == url.encode()


def test_a_plugin_that_makes_something_else_is_named(plugin):
    with pytest.raises(TypeError, match=r"a_plugin:wrong.*str"):
        filesystem_at("wrong://x", "x")


def test_openers_of_pyfilesystem2_are_asked(tmp_path):
    filesystem = filesystem_of("mem://", "x")
    assert isinstance(filesystem, PyFilesystem)
    assert isinstance(filesystem.filesystem, TheirMemoryFS)
    assert not filesystem.readonly


def test_an_archive_that_exists_is_for_reading_and_is_never_emptied(tmp_path):
    with ZipFS(str(tmp_path / "a.zip"), write=True) as archive:
        archive.writebytes("file", b"content")
    filesystem = filesystem_of(f"zip://{tmp_path}/a.zip", "x")
    root = filesystem.open_root()
    assert root.readonly
    node = root.open_at("file", 0, True)
    assert node.pread(100, 3) == b"tent"
    assert node.pread(3, 0) == b"con"
    node.close()
    root.close()
    filesystem.close()
    assert filesystem.filesystem.isclosed()


def test_a_disk_by_url_is_a_host_directory(tmp_path):
    filesystem = filesystem_of(f"osfs://{tmp_path}", "x")
    assert isinstance(filesystem.filesystem, OSFS)
    root = filesystem.open_root()
    assert isinstance(root, HostDirectory)
    root.close()


def test_a_scheme_that_nothing_knows_is_refused_with_those_that_are_known(plugin):
    with pytest.raises(ValueError, match=r"dirs\['/x'\].*imagined://x.*known are .*mem, .*ours"):
        filesystem_of("imagined://x", "dirs['/x']")


@pytest.mark.parametrize("url", ["://x", "a b://x", "/tmp/x://y", "Ä://x"])
def test_what_is_no_scheme_is_said(url):
    with pytest.raises(ValueError, match="no URL"):
        filesystem_of(url, "x")


def test_fsspec_knows_what_the_others_do_not():
    fsspec = pytest.importorskip("fsspec", reason="the extra fsspec is not installed")
    filesystem = filesystem_of("memory://a/b", "x")
    assert isinstance(filesystem.filesystem, fsspec.get_filesystem_class("memory"))
    assert filesystem.root == "/a/b"
