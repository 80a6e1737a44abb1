import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.descriptors.fakes import FakeDirectory, FakeFile
from wasi_host.descriptors.directory import DirectoryDescriptor, open_node
from wasi_host.descriptors.file import FileDescriptor
from wasi_host.descriptors.table import DescriptorTable
from wasi_host.errors import BADF, MFILE
from wasi_host.world.clocks import Clocks
from wasi_host.world.scheduler import Scheduler
from wasi_spec.rights import ALL_RIGHTS, Rights


def a_file():
    return FileDescriptor(FakeFile(bytearray()), ALL_RIGHTS, ALL_RIGHTS)


LIMIT = 6
NUMBERS = st.integers(0, LIMIT + 1)


class TableAgainstModel(RuleBasedStateMachine):
    """The model: a plain dict, and the lowest number that is not in it."""

    def __init__(self):
        super().__init__()
        self.table = DescriptorTable(LIMIT)
        self.model = {}
        self.made = []
        self.refused = False

    @rule()
    def insert(self):
        if len(self.model) >= LIMIT:
            with pytest.raises(MFILE):
                self.table.check_room()
            self.refused = True
            return
        self.table.check_room()
        descriptor = a_file()
        self.made.append(descriptor)
        lowest = min(set(range(LIMIT + 2)) - set(self.model))
        assert self.table.insert(descriptor) == lowest
        self.model[lowest] = descriptor

    @rule(fd=NUMBERS)
    def close(self, fd):
        if fd in self.model:
            self.table.close(fd)
            del self.model[fd]
        else:
            with pytest.raises(BADF):
                self.table.close(fd)

    @rule(fd=NUMBERS, to=NUMBERS)
    def renumber(self, fd, to):
        if fd in self.model and to in self.model:
            self.table.renumber(fd, to)
            if fd != to:
                self.model[to] = self.model.pop(fd)
        else:
            with pytest.raises(BADF):
                self.table.renumber(fd, to)

    @precondition(lambda self: self.model)
    @rule()
    def close_all(self):
        self.table.close_all()
        self.model.clear()

    @invariant()
    def the_same_is_open(self):
        assert dict(self.table) == self.model
        assert self.table.limit_hit == self.refused

    @invariant()
    def what_is_not_in_the_table_is_closed_exactly_once(self):
        kept = set(map(id, self.model.values()))
        for descriptor in self.made:
            assert descriptor.node.closed == (0 if id(descriptor) in kept else 1)


TestTableAgainstModel = TableAgainstModel.TestCase
TestTableAgainstModel.settings = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("fd", [0, 2**31, 2**32 - 1], ids=["never open", "2^31", "2^32-1"])
def test_what_is_not_open_is_badf(fd):
    table = DescriptorTable()
    for call in (table.__getitem__, table.close):
        with pytest.raises(BADF):
            call(fd)
    assert table == {}


def test_the_number_is_free_even_where_closing_fails():
    table = DescriptorTable()
    file = a_file()
    table.insert(file)

    def fails():
        raise OSError(5, "no")

    file.node.close = fails
    with pytest.raises(OSError, match="no"):
        table.close(0)
    assert table.insert(a_file()) == 0


def test_closing_all_closes_the_rest_after_one_fails_and_tells_the_first_error():
    table = DescriptorTable()
    files = [a_file() for _ in range(3)]

    def fails():
        raise OSError(5, "no")

    files[0].node.close = fails
    for file in files:
        table.insert(file)
    with pytest.raises(OSError, match="no"):
        table.close_all()
    assert [file.node.closed for file in files[1:]] == [1, 1]
    assert table == {}


def test_a_preopen_keeps_its_name_when_it_moves():
    table = DescriptorTable()
    table.insert(a_file())
    table.insert(DirectoryDescriptor(FakeDirectory(), 0, 0, b"/"))
    table.renumber(1, 0)
    assert table[0].prestat_dir_name() == b"/"


@pytest.mark.parametrize(
    ("readable", "writable", "missing"),
    [
        (True, True, 0),
        (True, False, Rights.FD_WRITE),
        (False, True, Rights.FD_READ),
    ],
    ids=["both", "reading", "writing"],
)
def test_a_node_gets_a_descriptor_without_the_rights_its_open_mode_lacks(
    readable, writable, missing
):
    file = open_node(
        FakeFile(bytearray()), ALL_RIGHTS, 0, 0, readable, writable, Scheduler(Clocks())
    )
    both = Rights.FD_READ | Rights.FD_WRITE
    assert file.rights_base & both == both & ~missing


def test_a_directory_never_has_the_rights_to_write_seek_or_be_resized():
    directory = open_node(FakeDirectory(), ALL_RIGHTS, 0, 0, True, False, Scheduler(Clocks()))
    never = Rights.FD_WRITE | Rights.FD_SEEK | Rights.FD_FILESTAT_SET_SIZE
    assert not directory.rights_base & never
