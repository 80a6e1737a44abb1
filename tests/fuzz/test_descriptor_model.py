"""Descriptors and files against a model in a few lines, by hypothesis: whatever order it finds.

The model: numbers mean open files; an open file has a position and is shared by no number; a
path means bytes. After each step every number means what it has to, and no other is open.
"""

import shutil
import tempfile
from dataclasses import dataclass

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from tests.attacks.backends import ValuesBackend
from tests.attacks.guest import CREAT, DIRECTORY, EXCL, READ, TRUNC, WRITE, Guest
from wasi_host import MemoryFS, Overlay, Quota
from wasi_spec import Errno, Fdflags

NAMES = ["a", "b", "c"]
APPEND = int(Fdflags.APPEND)
#: What the table holds: three streams, a directory, and these.
MOST = 8


@dataclass
class Content:
    """What a name means; a name that is removed leaves it to those who have it open."""

    data: bytearray


@dataclass
class Open:
    """What a number means."""

    content: Content
    reads: bool
    writes: bool
    append: bool
    position: int = 0


class Model(RuleBasedStateMachine):
    """The machine over memory; below, over others."""

    fds = Bundle("fds")

    def source(self):
        return MemoryFS()

    def __init__(self):
        super().__init__()
        self.guest = Guest(ValuesBackend({"/": self.source()}))
        self.first = self.guest.next
        self.names: dict[str, Content] = {}
        self.open: dict[int, Open] = {}

    def teardown(self):
        self.guest.close()

    def lowest(self):
        return next(fd for fd in range(4, 1000) if fd not in self.open)

    @rule(
        target=fds,
        name=st.sampled_from(NAMES),
        oflags=st.sampled_from([0, CREAT, CREAT | EXCL, CREAT | TRUNC, TRUNC, DIRECTORY]),
        access=st.sampled_from([READ, WRITE, READ | WRITE]),
        append=st.booleans(),
    )
    def opening(self, name, oflags, access, append):
        self.guest.next = self.first
        if oflags & DIRECTORY:
            access = READ
        errno = self.guest.try_open(
            name, oflags=oflags, rights=access, fdflags=APPEND if append else 0
        )
        content = self.names.get(name)
        if content is None and not oflags & CREAT:
            assert errno is Errno.NOENT
        elif content is not None and oflags & EXCL:
            assert errno is Errno.EXIST
        elif content is not None and oflags & DIRECTORY:
            assert errno is Errno.NOTDIR
        else:
            assert errno is Errno.SUCCESS
            content = self.names.setdefault(name, Content(bytearray()))
            if oflags & TRUNC:
                content.data.clear()
            fd = self.lowest()
            assert self.guest.result == fd
            self.open[fd] = Open(content, bool(access & READ), bool(access & WRITE), append)
            return fd
        return 999

    @rule(fd=fds)
    def closing(self, fd):
        expected = Errno.SUCCESS if fd in self.open else Errno.BADF
        assert self.guest.call("fd_close", fd) is expected
        self.open.pop(fd, None)

    @rule(fd=fds, to=fds)
    def renumbering(self, fd, to):
        both = fd in self.open and to in self.open
        expected = Errno.SUCCESS if both else Errno.BADF
        assert self.guest.call("fd_renumber", fd, to) is expected
        if both and fd != to:
            self.open[to] = self.open.pop(fd)

    @rule(fd=fds, data=st.binary(max_size=20))
    def writing(self, fd, data):
        self.guest.next = self.first
        errno = self.guest.call("fd_write", fd, self.guest.vector(data))
        file = self.open.get(fd)
        if file is None or not file.writes:
            assert errno is Errno.BADF
            return
        assert (errno, self.guest.result) == (Errno.SUCCESS, len(data))
        if data:
            if file.append:
                file.position = len(file.content.data)
            self._put(file.content, file.position, data)
            file.position += len(data)

    @rule(fd=fds, data=st.binary(max_size=20), offset=st.integers(0, 60))
    def writing_at(self, fd, data, offset):
        self.guest.next = self.first
        errno = self.guest.call("fd_pwrite", fd, self.guest.vector(data), offset)
        file = self.open.get(fd)
        if file is None or not file.writes:
            assert errno is Errno.BADF
            return
        assert (errno, self.guest.result) == (Errno.SUCCESS, len(data))
        if data:
            self._put(file.content, len(file.content.data) if file.append else offset, data)

    def _put(self, content, at, data):
        content.data.extend(bytes(max(0, at - len(content.data))))
        content.data[at : at + len(data)] = data

    @rule(fd=fds, size=st.integers(0, 40))
    def reading(self, fd, size):
        self.guest.next = self.first
        at = self.guest.alloc(size)
        errno = self.guest.call("fd_read", fd, self.guest.vector_at((at, size)))
        file = self.open.get(fd)
        if file is None or not file.reads:
            assert errno is Errno.BADF
            return
        expected = bytes(file.content.data[file.position : file.position + size])
        assert errno is Errno.SUCCESS
        assert self.guest.get(at, self.guest.result) == expected
        file.position += len(expected)

    @rule(fd=fds, offset=st.integers(-30, 60), whence=st.integers(0, 2))
    def seeking(self, fd, offset, whence):
        self.guest.next = self.first
        errno = self.guest.call("fd_seek", fd, offset, whence)
        file = self.open.get(fd)
        if file is None:
            assert errno is Errno.BADF
            return
        position = offset + (0, file.position, len(file.content.data))[whence]
        assert errno is (Errno.INVAL if position < 0 else Errno.SUCCESS)
        if position >= 0:
            assert self.guest.result == position
            file.position = position

    @rule(fd=fds, size=st.integers(0, 60))
    def resizing(self, fd, size):
        errno = self.guest.call("fd_filestat_set_size", fd, size)
        file = self.open.get(fd)
        if file is None or not file.writes:
            assert errno is (Errno.BADF if file is None else Errno.INVAL)
            return
        assert errno is Errno.SUCCESS
        content = file.content.data
        content.extend(bytes(max(0, size - len(content))))
        del content[size:]

    @rule(name=st.sampled_from(NAMES))
    def unlinking(self, name):
        self.guest.next = self.first
        expected = Errno.SUCCESS if name in self.names else Errno.NOENT
        assert self.guest.call("path_unlink_file", 3, name) is expected
        self.names.pop(name, None)

    @rule(old=st.sampled_from(NAMES), new=st.sampled_from(NAMES))
    def renaming(self, old, new):
        self.guest.next = self.first
        errno = self.guest.call("path_rename", 3, old, 3, new)
        assert errno is (Errno.SUCCESS if old in self.names else Errno.NOENT)
        # Two names of one file both stay.
        if old in self.names and self.names.get(new) is not self.names[old]:
            self.names[new] = self.names.pop(old)

    @rule(old=st.sampled_from(NAMES), new=st.sampled_from(NAMES))
    def linking(self, old, new):
        self.guest.next = self.first
        errno = self.guest.call("path_link", 3, 0, old, 3, new)
        if old not in self.names:
            assert errno is Errno.NOENT
        elif new in self.names:
            assert errno is Errno.EXIST
        else:
            assert errno is Errno.SUCCESS
            self.names[new] = self.names[old]

    @invariant()
    def every_number_means_what_it_has_to(self):
        for fd in range(4, 4 + MOST):
            self.guest.next = self.first
            errno = self.guest.call("fd_tell", fd)
            if fd in self.open:
                assert (errno, self.guest.result) == (Errno.SUCCESS, self.open[fd].position)
            else:
                assert errno is Errno.BADF

    @invariant()
    def every_name_means_what_it_has_to(self):
        self.guest.next = self.first
        assert self.guest.names() == sorted(name.encode() for name in self.names)
        for name, content in self.names.items():
            self.guest.next = self.first
            stat = self.guest.stat(name)
            links = sum(other is content for other in self.names.values())
            assert (stat.size, stat.nlink) == (len(content.data), links)


class HostModel(Model):
    """Over a host directory."""

    def source(self):
        self.root = tempfile.mkdtemp(prefix="wasi-host-model-")
        return self.root

    def teardown(self):
        super().teardown()
        shutil.rmtree(self.root)


class OverlayModel(Model):
    """Over an overlay."""

    def source(self):
        return Overlay(MemoryFS())


class QuotaModel(Model):
    """Over a quota that is never reached."""

    def source(self):
        return Quota(MemoryFS(), max_bytes=1 << 20, max_inodes=100)


_QUICK = settings(
    max_examples=12,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
for _model in (Model, HostModel, OverlayModel, QuotaModel):
    _model.TestCase.settings = _QUICK

TestInMemory = Model.TestCase
TestOnTheHost = HostModel.TestCase
TestInAnOverlay = OverlayModel.TestCase
TestUnderAQuota = QuotaModel.TestCase
