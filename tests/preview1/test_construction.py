import pytest

from tests.descriptors.fakes import FakeDirectory
from tests.preview1.calls import an_instance
from wasi_host.fs.node import FileSystem
from wasi_host.preview1 import Preview1


class OneRoot(FileSystem):
    def __init__(self):
        self.root = FakeDirectory()

    def open_root(self):
        return self.root


class NoRoot(FileSystem):
    def open_root(self):
        raise FileNotFoundError("gone")


def test_preopens_are_numbered_from_3_in_their_order():
    wasi = Preview1.for_run(
        an_instance().fds.values(), [("/b", FakeDirectory()), ("/a", OneRoot()), (b"c", OneRoot())]
    )
    names = [wasi.fd_prestat_dir_name(fd, 9) for fd in (4, 5, 6)]
    assert names == [b"/b", b"/a", b"c"]


def test_a_filesystem_is_asked_for_its_root_which_is_closed_with_the_instance():
    source = OneRoot()
    wasi = Preview1.for_run((), [("/", source)])
    assert wasi.fds[0].node is source.root
    wasi.close()
    assert source.root.closed == 1


def test_roots_are_closed_when_a_later_one_cannot_be_opened():
    source = OneRoot()
    with pytest.raises(FileNotFoundError):
        Preview1.for_run((), [("/", source), ("/x", NoRoot())])
    assert source.root.closed == 1


@pytest.mark.parametrize("name", ["a\0", "\ud800"], ids=["nul", "lone surrogate"])
def test_a_guest_name_no_guest_could_read_is_refused(name):
    with pytest.raises(ValueError, match="guest name"):
        Preview1.for_run((), [(name, FakeDirectory())])


def test_two_instances_share_no_arguments():
    assert an_instance().args is not an_instance().args
