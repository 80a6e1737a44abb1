"""Random steps: what both hosts define, and, for ours alone, everything that fits into numbers.

A chooser learns from outcomes which handles are open and what they are, so that most calls meet
something that is there. The steps it made can be run again without it.
"""

import random
from collections.abc import Callable
from typing import Any

from tests.attacks.guest import ROWS
from tests.differential.steps import ARENA, Step
from wasi_spec import (
    Advice,
    Clockid,
    Eventtype,
    Fdflags,
    Oflags,
    Rights,
    Subclockflags,
    core_signature,
    records,
)
from wasi_spec.functions import Function
from wasi_spec.rights import ALL_RIGHTS
from wasi_spec.types import (
    CIOVECS,
    FD,
    IOVECS,
    Enum,
    Flags,
    Pointer,
    String,
)

NAMES = ["a", "b", "c", "d", "\u00e9"]
SPECIAL = [".", "..", "..", "", "n" * 255, "n" * 256, "\u20ac" * 86, "back\\slash", "new\nline"]
#: Bytes that are no path at all.
HOSTILE = [b"\xff", b"a\0b", b"\xc0\xaf", b"\xed\xa0\x80", b"x" * 4095, b"y" * 4096, b"/" * 300]
READ, WRITE = int(Rights.FD_READ), int(Rights.FD_WRITE)
CREAT, DIRECTORY, EXCL, TRUNC = (int(flag) for flag in Oflags)
APPEND, NONBLOCK = int(Fdflags.APPEND), int(Fdflags.NONBLOCK)
TIMES = [0, 1, 999_999_999, 1_000_000_000, 1_234_567_890_123_456_789]
EDGES = [0, 1, 2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1]
SUBSCRIPTION = records.SUBSCRIPTION_CLOCK.size


class Chooser:
    """Makes the next step of what both hosts define."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.directories = {3}
        self.files: set[int] = set()
        self.closed: set[int] = {7}
        self.next = 10
        #: Whether a number below 4 may mean another descriptor on each machine by now.
        self.moved = False
        self.weighted = self.choices()
        self.weights = [weight for weight, _ in self.weighted]

    def choices(self) -> list[tuple[float, Callable[[], Step]]]:
        """Return what can be done, each with how often."""
        return [
            (20, self.open),
            (8, lambda: self.at_path("path_create_directory")),
            (6, lambda: self.at_path("path_filestat_get", self.bit())),
            (4, self.set_times_at),
            (7, lambda: self.two_paths("path_link", 0)),
            (9, lambda: self.two_paths("path_rename")),
            (7, self.symlink),
            (5, lambda: self.at_path("path_remove_directory")),
            (5, lambda: self.at_path("path_unlink_file")),
            (5, self.readlink),
            (5, self.readdir),
            (8, self.write),
            (6, self.read),
            (4, self.pread),
            (4, self.pwrite),
            (5, self.seek),
            (3, lambda: Step("fd_tell", (self.fd(),))),
            (3, lambda: Step("fd_filestat_get", (self.fd(),))),
            (3, lambda: Step("fd_fdstat_get", (self.fd(),))),
            (2, lambda: Step("fd_fdstat_set_flags", (self.fd(), self.flags()))),
            (3, lambda: Step("fd_filestat_set_size", (self.fd(), self.offset()))),
            (2, lambda: Step("fd_filestat_set_times", (self.fd(), *self.times()))),
            (3, lambda: Step("fd_close", (self.fd(stdio=0.05),))),
            (1, lambda: Step("fd_renumber", (self.fd(stdio=0.1), self.fd(stdio=0.1)))),
            (1, lambda: Step("fd_sync", (self.fd(),))),
            (0.5, lambda: Step("fd_datasync", (self.fd(),))),
            (1, self.advise),
            (1, lambda: Step("fd_prestat_get", (self.fd(),))),
            (1, self.prestat_name),
            (1, self.poll),
            (0.5, lambda: Step("clock_time_get", (self.random.choice([0, 1]), 0))),
            (0.3, lambda: Step("clock_res_get", (self.random.choice([0, 1]),))),
            (0.3, lambda: Step("args_sizes_get", ())),
            (0.3, lambda: Step("environ_sizes_get", ())),
            (0.3, lambda: Step("args_get", (None, None))),
            (0.3, lambda: Step("environ_get", (None, None))),
            (0.3, lambda: Step("random_get", (None, self.random.choice([0, 1, 100])))),
            (0.2, lambda: Step("sched_yield", ())),
            (0.2, self.lacking),
        ]

    def step(self) -> Step:
        """Return the next step."""
        return self.random.choices(self.weighted, self.weights)[0][1]()

    def learn(self, step: Step, answer: str, filetype: int | None) -> None:
        """Learn what a step did; ``filetype``: of what it opened."""
        if answer != "SUCCESS":
            return
        if step.name in {"fd_close", "fd_renumber"} and min(step.arguments) < 4:
            self.moved = True
        if step.opens and filetype is not None:
            (self.directories if filetype == 3 else self.files).add(step.opens)
        elif step.name == "fd_close":
            self._gone(step.arguments[0])
        elif step.name == "fd_renumber":
            moved, target = step.arguments
            if moved != target:
                kind = self.directories if moved in self.directories else self.files
                self._gone(target)
                self.closed.discard(target)
                kind.add(target)
                self._gone(moved)

    def _gone(self, handle: int) -> None:
        self.directories.discard(handle)
        self.files.discard(handle)
        self.closed.add(handle)

    # Parts of steps.

    def bit(self) -> int:
        return self.random.randrange(2)

    def fd(self, stdio: float = 0.1) -> int:
        """Return a handle: mostly of a file, now and then of anything."""
        chance = self.random.random()
        if chance < stdio:
            return self.random.randrange(3)
        if chance < 0.85 and self.files:
            return self.random.choice(sorted(self.files))
        if chance < 0.95:
            return self.directory()
        return self.random.choice(sorted(self.closed))

    def directory(self) -> int:
        chance = self.random.random()
        if chance < 0.03 and self.files:
            return self.random.choice(sorted(self.files))
        if chance < 0.04 or not self.directories:
            return self.random.choice([0, 1, *sorted(self.closed)])
        return self.random.choice(sorted(self.directories))

    def path(self) -> bytes:
        random = self.random
        if random.random() < 0.01:
            return random.choice(HOSTILE)
        length = random.choice([1, 1, 1, 1, 2, 2, 3, 5])
        parts = [random.choice(NAMES if random.random() < 0.88 else SPECIAL) for _ in range(length)]
        path = "/".join(parts)
        if random.random() < 0.1:
            path += random.choice(["/", "/", "//", "/.", "/..", "/./"])
        if random.random() < 0.01:
            path = "/" + path
        return path.encode()

    def target(self) -> bytes:
        if self.random.random() < 0.3:
            return self.random.choice([b".", b"..", b"a/", b"b/..", b"../a", b"c/.", b"a/../b"])
        return self.path()

    def offset(self) -> int:
        random = self.random
        if random.random() < 0.03:
            return random.choice(EDGES)
        return random.choice([0, 1, random.randrange(40), random.randrange(30_000), 4096])

    def size(self) -> int:
        return self.random.choice([0, 1, 5, 100, 3000, 12_000])

    def data(self) -> bytes:
        return bytes([self.random.randrange(256)]) * self.size()

    def flags(self) -> int:
        return self.random.choice([0, 0, APPEND, APPEND, NONBLOCK, APPEND | NONBLOCK])

    def times(self) -> tuple[int, int, int]:
        random = self.random
        flags = random.choice([0, 1, 2, 4, 5, 6, 8, 9, 10, 3, 12, 15])
        return random.choice(TIMES), random.choice(TIMES), flags

    def fresh(self) -> int:
        self.next += 1
        return self.next

    # Steps.

    def open(self) -> Step:
        random = self.random
        oflags = random.choice([0, 0, 0, CREAT, CREAT, CREAT | EXCL, CREAT | TRUNC, TRUNC])
        if random.random() < 0.2:
            oflags = random.choice([DIRECTORY, DIRECTORY, DIRECTORY | CREAT, EXCL])
        rights = random.choice([READ, READ, READ | WRITE, READ | WRITE, WRITE, 0, ALL_RIGHTS])
        if oflags & (CREAT | TRUNC):
            rights |= WRITE  # wasmtime adds it, we do not
        if oflags & DIRECTORY and random.random() < 0.9:
            rights = READ
        return Step(
            "path_open",
            (
                self.directory(), self.bit(), self.path(), oflags, rights, ALL_RIGHTS,
                self.flags() if random.random() < 0.3 else 0,
            ),
            opens=self.fresh(),
        )  # fmt: skip

    def at_path(self, name: str, *flags: int) -> Step:
        return Step(name, (self.directory(), *flags, self.path()))

    def two_paths(self, name: str, *flags: int) -> Step:
        return Step(name, (self.directory(), *flags, self.path(), self.directory(), self.path()))

    def set_times_at(self) -> Step:
        arguments = (self.directory(), self.bit(), self.path(), *self.times())
        return Step("path_filestat_set_times", arguments)

    def symlink(self) -> Step:
        return Step("path_symlink", (self.target(), self.directory(), self.path()))

    def readlink(self) -> Step:
        room = self.random.choice([0, 1, 3, 100, 100, 300])
        return Step("path_readlink", (self.directory(), self.path(), None, room))

    def readdir(self) -> Step:
        random = self.random
        room = random.choice([0, 1, 23, 24, 30, 50, 100, 2000, 2000, 2000])
        cookie = 0 if room == 2000 or random.random() < 0.5 else random.randrange(8)
        fd = self.directory() if random.random() < 0.95 else self.fd()
        return Step("fd_readdir", (fd, None, room, cookie))

    def vectors(self, item: Callable[[], Any], empty: Any) -> tuple[Any, ...]:
        """Return vectors of which one is not empty: wasmtime looks at no more."""
        before = self.random.choice([0, 0, 0, 1, 2])
        after = self.random.choice([0, 0, 0, 1])
        return (empty,) * before + (item(),) + (empty,) * after

    def write(self) -> Step:
        # Not of nothing: with APPEND, wasmtime then moves the position, which POSIX does not.
        return Step("fd_write", (self.fd(), self.vectors(lambda: self.data() or b"x", b"")))

    def pwrite(self) -> Step:
        return Step("fd_pwrite", (self.fd(), self.vectors(self.data, b""), self.offset()))

    def read(self) -> Step:
        return Step("fd_read", (self.fd(), self.vectors(self.size, 0)))

    def pread(self) -> Step:
        return Step("fd_pread", (self.fd(), self.vectors(self.size, 0), self.offset()))

    def seek(self) -> Step:
        offset = self.offset() if self.random.random() < 0.7 else -self.random.randrange(5000)
        if offset >= 2**63:
            offset -= 2**64
        return Step("fd_seek", (self.fd(), offset, self.random.randrange(3)))

    def advise(self) -> Step:
        advice = self.random.randrange(len(Advice))
        return Step("fd_advise", (self.fd(), self.offset(), self.offset(), advice))

    def prestat_name(self) -> Step:
        return Step("fd_prestat_dir_name", (self.fd(), None, self.random.choice([0, 1, 1, 20])))

    def poll(self) -> Step:
        """One subscription: a clock whose time has come, or a file."""
        if self.moved or self.random.random() < 0.5:
            data = self.clock(0)
        else:
            kind = self.random.choice([Eventtype.FD_READ, Eventtype.FD_WRITE])
            data = records.SUBSCRIPTION_FD.pack(77, kind, self.random.choice([1, 2, 3, 1 << 20]))
        return Step("poll_oneoff", (data.ljust(SUBSCRIPTION, b"\0"), None, 1))

    def clock(self, timeout: int, flags: int = 0) -> bytes:
        clock = self.random.choice([Clockid.MONOTONIC, Clockid.REALTIME])
        return records.SUBSCRIPTION_CLOCK.pack(55, Eventtype.CLOCK, clock, timeout, 0, flags)

    def lacking(self) -> Step:
        """Return a call that wasmtime does not have, or has for nothing."""
        fd = self.fd()
        return self.random.choice([
            Step("fd_allocate", (fd, 0, 1 + self.offset() % 2**20)),
            Step("proc_raise", (self.random.randrange(31),)),
            Step("sock_accept", (fd, 0), opens=self.fresh()),
            Step("sock_recv", (fd, (10,), 0)),
            Step("sock_send", (fd, (b"x",), 0)),
            Step("sock_shutdown", (fd, 1)),
        ])  # fmt: skip


class WideChooser(Chooser):
    """Makes the next step of everything: any flag, number and address, all functions."""

    def choices(self) -> list[tuple[float, Callable[[], Step]]]:
        """Return what can be done; half of it is what both hosts define."""
        shared = super().choices()
        half = sum(weight for weight, _ in shared) / 2
        return [*shared, (half, self.anything), (4, self.drop), (4, self.poll_many)]

    def step(self) -> Step:
        """Return the next step, now and then with a number or an address put out of place."""
        step = super().step()
        if self.random.random() < 0.06:
            step = step._replace(shift=self.random.randrange(1, 8))
        if self.random.random() < 0.08:
            words = core_signature(ROWS[step.name])[0]
            if words:
                position = self.random.randrange(len(words))
                number = self.number(64 if words[position] == "i64" else 32)
                opens = 0 if position == len(words) - 1 else step.opens
                step = step._replace(overrides=((position, number),), opens=opens)
        return step

    def number(self, bits: int) -> int:
        random = self.random
        memory = 4 * 65536
        return random.choice(
            [0, 1, 4, ARENA.start, 65535, memory - 8, memory - 1, memory, 2**31, 2**32 - 1]
            + [2**32 - 8, random.randrange(2**32)]
            + ([2**62, 2**63 - 1, 2**63, 2**64 - 1] if bits == 64 else [])
        )

    def anything(self) -> Step:
        """Return a call with whatever its types allow."""
        row = ROWS[self.random.choice([name for name in ROWS if name != "proc_exit"])]
        if row.name == "poll_oneoff":
            return self.poll_many()
        arguments = tuple(self.value(row, part.type, part.name) for part in row.params)
        opens = self.fresh() if row.name == "path_open" else 0
        return Step(row.name, arguments, opens=opens)

    def value(self, row: Function, kind: Any, name: str) -> Any:
        random = self.random
        if kind is FD:
            return self.directory() if row.name.startswith("path_") else self.fd()
        if isinstance(kind, String):
            return self.path()
        if kind is IOVECS:
            return tuple(self.size() for _ in range(random.randrange(4)))
        if kind is CIOVECS:
            return tuple(self.data() for _ in range(random.randrange(4)))
        if isinstance(kind, Pointer):
            return None
        if isinstance(kind, Enum):
            return random.choice([0, 1, 2, 3, 4, 255, 2**32 - 1])
        if isinstance(kind, Flags):
            return random.choice([0, 1, 2, 3, 4, 5, 8, 16, 24, 2**kind.bits - 1])
        if name in {"buf_len", "path_len"}:
            return random.choice([0, 1, 30, 2000])
        return self.offset()

    def drop(self) -> Step:
        """Return a call that drops rights, or tries to get some."""
        random = self.random
        base, inheriting = (
            random.choice([ALL_RIGHTS, ALL_RIGHTS & ~(1 << random.randrange(30)), 0, 2**64 - 1])
            for _ in range(2)
        )
        return Step("fd_fdstat_set_rights", (self.fd(), base, inheriting))

    def poll_many(self) -> Step:
        """Return several subscriptions, one of which is due."""
        random = self.random
        due = self.clock(random.choice([0, 1]), random.choice([0, int(Subclockflags(1))]))
        parts = [due]
        for _ in range(random.randrange(4)):
            kind = random.choice([0, 1, 2, 3, 255])
            if kind in (1, 2):
                fd = random.choice([0, 1, 2, 3, 4, 5, 1 << 20])
                part = records.SUBSCRIPTION_FD.pack(random.randrange(99), kind, fd)
            else:
                clock, flags = random.choice([0, 1, 2, 9]), random.choice([0, 1, 2])
                part = records.SUBSCRIPTION_CLOCK.pack(3, kind % 256, clock, 0, 0, flags)
            parts.append(part)
        random.shuffle(parts)
        data = b"".join(part.ljust(SUBSCRIPTION, b"\0") for part in parts)
        return Step("poll_oneoff", (data, None, len(parts)))
