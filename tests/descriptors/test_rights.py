import pytest

from tests.descriptors.fakes import FakeFile
from wasi_host.descriptors.base import FD_READ, FD_SYNC, FD_WRITE, Descriptor
from wasi_host.descriptors.file import FileDescriptor
from wasi_host.errors import BADF, INVAL, NOTCAPABLE
from wasi_spec.flags import Fdflags
from wasi_spec.rights import ALL_RIGHTS, FILE_RIGHTS


def opened(access=FILE_RIGHTS, rights=ALL_RIGHTS):
    return FileDescriptor(FakeFile(bytearray(b"hello")), access, rights)


def test_a_descriptor_never_has_rights_that_its_open_mode_lacks():
    assert not opened(access=FILE_RIGHTS & ~FD_WRITE).rights_base & FD_WRITE


def test_a_right_that_the_open_mode_lacks_is_badf():
    with pytest.raises(BADF):
        opened(access=FILE_RIGHTS & ~FD_WRITE).write(b"")


def test_a_right_that_the_embedder_withheld_is_notcapable():
    with pytest.raises(NOTCAPABLE):
        opened(rights=ALL_RIGHTS & ~FD_WRITE).write(b"")


def test_a_right_that_the_guest_dropped_is_notcapable():
    descriptor = opened()
    descriptor.set_rights(descriptor.rights_base & ~FD_READ, 0)
    with pytest.raises(NOTCAPABLE):
        descriptor.read(1)


def test_of_a_missing_open_mode_and_a_missing_right_the_open_mode_is_answered():
    descriptor = opened(access=FILE_RIGHTS & ~FD_READ, rights=0)
    with pytest.raises(BADF):
        descriptor.pread(1, 0)


def test_dropped_rights_are_shown():
    descriptor = opened()
    descriptor.set_rights(FD_READ, 0)
    assert descriptor.fdstat() == (4, 0, FD_READ, 0)


@pytest.mark.parametrize(
    ("base", "inheriting"), [(FD_SYNC, 0), (0, FD_READ)], ids=["base", "inheriting"]
)
def test_a_right_that_is_not_there_cannot_be_taken_back_and_nothing_changes(base, inheriting):
    descriptor = opened(rights=FD_READ)
    with pytest.raises(NOTCAPABLE):
        descriptor.set_rights(base, inheriting)
    assert descriptor.rights_base == FD_READ


def test_append_and_nonblock_can_be_switched():
    descriptor = opened()
    descriptor.set_flags(Fdflags.APPEND | Fdflags.NONBLOCK)
    assert descriptor.fdstat()[1] == Fdflags.APPEND | Fdflags.NONBLOCK
    descriptor.set_flags(0)
    assert descriptor.fdstat()[1] == 0


@pytest.mark.parametrize("flag", [Fdflags.DSYNC, Fdflags.RSYNC, Fdflags.SYNC], ids=str)
def test_a_synchronising_flag_cannot_be_switched(flag):
    with pytest.raises(INVAL):
        opened().set_flags(flag)
    descriptor = FileDescriptor(FakeFile(bytearray()), FILE_RIGHTS, ALL_RIGHTS, 0, int(flag))
    with pytest.raises(INVAL):
        descriptor.set_flags(0)
    descriptor.set_flags(flag | Fdflags.APPEND)


def test_descriptors_have_no_dictionary():
    assert not hasattr(opened(), "__dict__")
    assert not hasattr(Descriptor(0, 0, 0), "__dict__")
