"""Random operations, done to host directories two ways and to memory: the same answers, always.

Every operation goes to each of the worlds, and its outcome (the errno's name, or what it
returned) must be the same in all; so must, now and then, everything that is there. The seed and
the last operations are in the failure's text.

`WASI_HOST_DIFFERENTIAL` sets the number of operations (3,000), `WASI_HOST_SEED` the seed.
"""

import collections
import contextlib
import errno
import os
import random

import pytest

from tests.fs.actions import snapshot
from tests.fs.backends import open_descriptors, without
from wasi_host.fs import openat2
from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import MemoryFS
from wasi_host.fs.node import Directory, File

OPERATIONS = int(os.environ.get("WASI_HOST_DIFFERENTIAL", "3000"))
SEED = int(os.environ.get("WASI_HOST_SEED", "1"))

NAMES = ["a", "b", "c", "d", "\u00e9"]
SPECIAL = [".", "..", "..", "", "n" * 255, "n" * 256, "\u20ac" * 86]
MODES = [
    os.O_RDONLY, os.O_RDONLY, os.O_RDWR, os.O_WRONLY, os.O_CREAT, os.O_CREAT | os.O_RDWR,
    os.O_CREAT | os.O_RDWR, os.O_CREAT | os.O_EXCL | os.O_RDWR, os.O_CREAT | os.O_EXCL,
    os.O_TRUNC, os.O_TRUNC | os.O_RDWR, os.O_CREAT | os.O_TRUNC | os.O_RDWR, os.O_DIRECTORY,
    os.O_DIRECTORY, os.O_EXCL, os.O_DIRECTORY | os.O_RDWR,
]  # fmt: skip


class World:
    """One filesystem, the nodes open in it by number, and how it is switched."""

    def __init__(self, filesystem, *missing):
        self.filesystem = filesystem
        self.missing = missing
        self.directories = {0: filesystem.open_root()}
        self.files = {}

    def run(self, operation, arguments):
        with without(*self.missing) if self.missing else contextlib.nullcontext():
            try:
                return getattr(self, operation)(*arguments)
            except OSError as error:
                return errno.errorcode[error.errno]

    def open(self, at, path, mode, follow, slot):
        node = self.directories[at].open_at(path, mode, follow)
        kept = {Directory: self.directories, File: self.files}
        for kind, nodes in kept.items():
            if isinstance(node, kind):
                if slot in nodes:
                    nodes.pop(slot).close()
                nodes[slot] = node
        return node.filetype, self._plain(node.stat())

    def _plain(self, stat):
        """What must be equal of a stat: not device, inode, a directory's size, or clocks."""
        if stat[2] == 3:
            return (3,)
        return stat[2:5]

    def stat(self, at, path, follow):
        return self._plain(self.directories[at].stat_at(path, follow))

    def set_times(self, at, path, follow, atime, mtime):
        directory = self.directories[at]
        directory.set_times_at(path, follow, atime, mtime)
        stat = directory.stat_at(path, follow)
        # The host touches the access time of a link that is followed, which the path may do.
        same = atime is None or stat[2] == 7 or stat[5] == atime
        return same, (mtime is None or stat[6] == mtime)

    def make_dir(self, at, path):
        return self.directories[at].make_dir_at(path)

    def remove_dir(self, at, path):
        return self.directories[at].remove_dir_at(path)

    def unlink(self, at, path):
        return self.directories[at].unlink_at(path)

    def symlink(self, at, target, path):
        return self.directories[at].symlink_at(target, path)

    def plant(self, at, target, name):
        """A link that the host makes: it may be absolute."""
        return self.directories[at].symlink(name, target)

    def read_link(self, at, path):
        return self.directories[at].read_link_at(path)

    def rename(self, at, path, to, to_path):
        return self.directories[at].rename_at(path, self.directories[to], to_path)

    def link(self, at, path, to, to_path):
        return self.directories[at].link_at(path, self.directories[to], to_path)

    def names(self, at):
        directory = self.directories[at]
        return sorted((entry.name, entry.filetype) for entry in directory.entries())

    def parent(self, at):
        # Only whether it is known: numbers differ.
        return (self.directories[at].parent_ino() is None) if at == 0 else None

    def pwrite(self, slot, data, offset):
        return self.files[slot].pwrite(data, offset)

    def append(self, slot, data):
        return self.files[slot].append(data)

    def truncate(self, slot, size):
        return self.files[slot].truncate(size)

    def allocate(self, slot, offset, length):
        return self.files[slot].allocate(offset, length)

    def pread(self, slot, size, offset):
        node = self.files[slot]
        buffers = [memoryview(bytearray(n)) for n in (size // 3, size - size // 3)]
        count = node.preadinto(buffers, offset)
        data = node.pread(size, offset)
        assert b"".join(buffers)[:count] == data
        return data

    def file_stat(self, slot):
        return self._plain(self.files[slot].stat())

    def everything(self):
        return snapshot(self.directories[0])

    def close(self):
        for node in [*self.files.values(), *self.directories.values()]:
            node.close()
        self.directories.clear()
        self.filesystem.close()


class Chooser:
    """What to do next; it knows which slots are open, and for writing, from the outcomes."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.directories = {0}
        self.readable, self.writable = set(), set()

    def path(self):
        random = self.random
        length = random.choice([1, 1, 1, 2, 2, 3, 4, 6])
        parts = [random.choice(NAMES if random.random() < 0.85 else SPECIAL) for _ in range(length)]
        path = "/".join(parts)
        if random.random() < 0.12:
            path += random.choice(["/", "/", "//", "/.", "/..", "/./"])
        if random.random() < 0.01:
            path = "/" + path
        return path

    def target(self):
        random = self.random
        if random.random() < 0.3:
            return random.choice([".", "..", "a/", "b/..", "../a", "/etc", "x" * 5000, "c/."])
        return self.path()

    def operation(self):
        random, path = self.random, self.path
        at = random.choice(sorted(self.directories))
        slot = random.randrange(4)
        follow = random.random() < 0.6
        choices = [
            (22, lambda: ("open", (at, path(), random.choice(MODES), follow, slot))),
            (12, lambda: ("stat", (at, path(), follow))),
            (10, lambda: ("make_dir", (at, path()))),
            (10, lambda: ("rename", (at, path(), random.choice(sorted(self.directories)), path()))),
            (8, lambda: ("symlink", (at, self.target(), path()))),
            (2, lambda: ("plant", (at, self.target()[:200] or ".", random.choice(NAMES)))),
            (7, lambda: ("link", (at, path(), random.choice(sorted(self.directories)), path()))),
            (5, lambda: ("remove_dir", (at, path()))),
            (5, lambda: ("unlink", (at, path()))),
            (5, lambda: ("read_link", (at, path()))),
            (4, lambda: ("set_times", (at, path(), follow, self.time(), self.time()))),
            (2, lambda: ("names", (at,))),
            (1, lambda: ("parent", (at,))),
            (18, self.on_file),
        ]
        weights = [weight for weight, _ in choices]
        chosen = random.choices(choices, weights)[0][1]()
        return chosen or ("names", (at,))

    def time(self):
        random = self.random
        return random.choice([None, 0, random.randrange(1 << 60)])

    def on_file(self):
        random = self.random
        slots = sorted(self.readable | self.writable)
        if not slots:
            return None
        slot = random.choice(slots)
        offset = random.choice([0, random.randrange(40), random.randrange(30_000), 8192, 100_000])
        data = bytes([random.randrange(256)]) * random.choice([0, 1, 10, 3000, 20_000])
        writes = [
            ("pwrite", (slot, data, offset)),
            ("pwrite", (slot, data, offset)),
            ("append", (slot, data)),
            ("truncate", (slot, random.choice([0, offset, offset]))),
            ("allocate", (slot, offset, 1 + len(data))),
        ]
        reads = [("pread", (slot, random.choice([1, 100, 50_000]), offset))]
        stats = [("file_stat", (slot,))]
        return random.choice(
            (writes if slot in self.writable else [])
            + (reads if slot in self.readable else [])
            + stats
        )

    def learn(self, operation, arguments, result):
        if operation != "open" or isinstance(result, str):
            return
        _, _, mode, _, slot = arguments
        if result[0] == 3:
            self.directories.add(slot)
            return
        access = mode & (os.O_RDWR | os.O_WRONLY)
        for slots, has in (
            (self.readable, access != os.O_WRONLY), (self.writable, access != os.O_RDONLY),
        ):  # fmt: skip
            (slots.add if has else slots.discard)(slot)


def explain(seed, history, results):
    lines = [f"seed {seed}, operation {len(history)}", *map(repr, list(history)[-12:]), "gave"]
    lines += [f"{name}: {result!r}" for name, result in results.items()]
    return "\n".join(line[:400] for line in lines)


def run(worlds, seed, count, kind=Chooser):
    chooser = kind(seed)
    history = collections.deque()
    for number in range(count):
        operation = chooser.operation()
        if operation[0] == "open" and operation[1][4] == 0:
            operation = ("open", (*operation[1][:4], 4))  # slot 0 is the root
        history.append(operation)
        results = {name: world.run(*operation) for name, world in worlds.items()}
        first = next(iter(results.values()))
        assert all(result == first for result in results.values()), explain(seed, history, results)
        chooser.learn(*operation, first)
        if number % 250 == 249:
            found = {name: world.run("everything", ()) for name, world in worlds.items()}
            first = next(iter(found.values()))
            assert all(one == first for one in found.values()), explain(seed, history, found)


@pytest.mark.parametrize("seed", range(SEED, SEED + max(1, OPERATIONS // 1000)))
def test_random_operations_have_the_same_outcome_everywhere(tmp_path, seed):
    before = open_descriptors()
    for name in ("openat2", "walk", "portable"):
        (tmp_path / name).mkdir()
    worlds = {
        "openat2": World(HostDir(tmp_path / "openat2")),
        "walk": World(HostDir(tmp_path / "walk"), "openat2"),
        "portable": World(HostDir(tmp_path / "portable"), "openat2", "o_path", "rwf_append"),
        "memory": World(MemoryFS()),
    }
    if not openat2.available():
        worlds.pop("openat2").close()
    try:
        run(worlds, seed, min(OPERATIONS, 1000))
    finally:
        for world in worlds.values():
            world.close()
    assert open_descriptors() == before
