"""Random operations on two guests: one all Python, one whose calls are made in any of three ways.

    python -m tests.native.differential --operations 1000000 --seed 1

Both guests have a directory of their own with the same files. After each operation the errno and
the whole memory must be the same, and from time to time the descriptors, and the files. Inode
numbers are matched pair by pair. Of times only those are compared that a guest set to a moment long
ago or far ahead (``test_calls`` compares all of them, on one tree).
"""

import argparse
import os
import random
import struct
import sys
import tempfile
import time
from pathlib import Path
from subprocess import DEVNULL, PIPE

from tests.native.machine import FALLBACK, NATIVE, PYTHON, Machine, open_descriptors
from wasi_host.fs.memory import MemoryFS
from wasi_host.fs.memory_data import DirectoryInode, LinkInode
from wasi_spec import Errno, Fdflags, Oflags, Rights
from wasi_spec.rights import ALL_RIGHTS

SIZE = 16384
#: Where vectors, paths, buffers and results lie as a rule.
VECTORS, PATHS, DATA, RESULTS = 256, 1024, 4096, 12288
NAMES = [b"a", b"b", b"big", b"d", b"d/a", b"d/e/f", b"d/e", b"link", b"loop", b"out", b"dangling",
         b"missing", b".", b"..", b"d/..", b"d/../a", b"d/", b"a/", b"", b"/etc", b"link/x",
         b"d/dlink/a", b"dlink/e", b"\xc3\xa9t\xc3\xa9", b"bad\xff", b"nul\0x", b"new", b"d/new",
         b"n" * 255, b"n" * 256, b"x/" * 300]  # fmt: skip
_INO = {"fd_filestat_get": 8, "path_filestat_get": 8}
_READ, _WRITE = int(Rights.FD_READ), int(Rights.FD_WRITE)
#: After these, the inode of a file that is gone may be another's.
_CHANGING = {
    "path_unlink_file", "path_remove_directory", "path_rename", "fd_close", "fd_renumber",
}  # fmt: skip


def furnish(root):
    (root / "a").write_bytes(b"hello world")
    (root / "big").write_bytes(bytes(range(256)) * 64)
    (root / "d/e").mkdir(parents=True)
    (root / "d/a").write_bytes(b"")
    (root / "d/e/f").write_bytes(b"deep")
    (root / "link").symlink_to("d")
    (root / "loop").symlink_to("loop")
    (root / "out").symlink_to("../secret")
    (root / "dangling").symlink_to("nowhere")
    (root / "dlink").symlink_to("d")
    (root / "d/dlink").symlink_to(".")
    (root / "été").write_bytes(b"accents")


class Difference(AssertionError):
    """The two guests are not in the same state."""


class Operations:
    """Chooses operations; the numbers of a guest are mostly sensible, and sometimes hostile."""

    def __init__(self, chance):
        self.chance = chance
        self.fds = range(12)

    def fd(self):
        chance = self.chance
        if chance.random() < 0.02:
            return chance.choice([99, 2**31, 2**32 - 1])
        return chance.choice(self.fds)

    def victim(self):
        """A descriptor that may not be the same afterwards: seldom the directory."""
        fd = self.fd()
        return fd if fd != 3 or self.chance.random() < 0.02 else 4

    def pointer(self, usual):
        chance = self.chance
        if chance.random() < 0.03:
            return chance.choice([0, SIZE - 1, SIZE - 4, SIZE - 8, SIZE, 2**31, 2**32 - 1])
        return usual + chance.randrange(64)

    def vectors(self):
        """Pokes, address and count of some vectors."""
        chance = self.chance
        count = chance.choice([0, 1, 1, 1, 1, 2, 3, 5])
        if chance.random() < 0.01:
            count = chance.choice([1024, 1025, 2**29, 2**32 - 1])
        packed = b""
        for _ in range(min(count, 5)):
            length = chance.choice([0, 1, 7, 16, 100, 700])
            if chance.random() < 0.02:
                length = chance.choice([SIZE, 2**31, 2**32 - 1])
            packed += struct.pack("<II", self.pointer(DATA + chance.randrange(2000)), length)
        at = self.pointer(VECTORS) & ~3
        return [(at, packed)] if at + len(packed) <= SIZE else [], (at, count)

    def offset(self):
        chance = self.chance
        if chance.random() < 0.05:
            return chance.choice([2**62, 2**63 - 1, 2**63, 2**64 - 1])
        return chance.randrange(200)

    def path(self):
        chance = self.chance
        text = chance.choice(NAMES)
        at = self.pointer(PATHS)
        length = len(text) if chance.random() < 0.98 else chance.choice([4095, 4096, 2**32 - 1])
        return [(at, text)] if at + len(text) <= SIZE else [], (at, length)

    def rights(self):
        chance = self.chance
        masks = [0, _READ, _WRITE, _READ | _WRITE, ALL_RIGHTS, 2**64 - 1]
        return chance.choice(masks) & ~(1 << chance.randrange(30) if chance.random() < 0.3 else 0)

    def next(self):
        """The next operation: pokes, name, numbers."""
        chance = self.chance
        name = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        return getattr(self, name.split(" ")[0])(name)

    def _transfer(self, name):
        pokes, vectors = self.vectors()
        return pokes, name, (self.fd(), *vectors, self.pointer(RESULTS))

    fd_read = fd_write = _transfer

    def _transfer_at(self, name):
        pokes, vectors = self.vectors()
        return pokes, name, (self.fd(), *vectors, self.offset(), self.pointer(RESULTS))

    fd_pread = fd_pwrite = _transfer_at

    def fd_seek(self, name):
        offset = self.chance.choice([0, 5, -3, 100, -(2**63), 2**63 - 1, 2**40])
        whence = self.chance.choice([0, 1, 1, 2, 2, 3])
        return [], name, (self.fd(), offset, whence, self.pointer(RESULTS))

    def _out(self, name):
        return [], name, (self.fd(), self.pointer(RESULTS))

    fd_tell = fd_fdstat_get = fd_filestat_get = fd_prestat_get = _out

    def fd_close(self, name):
        return [], name, (self.victim(),)

    def fd_prestat_dir_name(self, name):
        return [], name, (self.fd(), self.pointer(DATA), self.chance.choice([0, 1, 5]))

    def fd_readdir(self, name):
        size = self.chance.choice([0, 1, 23, 24, 25, 60, 300, 4000, 2**32 - 1])
        cookie = self.chance.choice([0, 0, 1, 2, 3, 5, 9, 100, 2**64 - 1])
        return [], name, (self.fd(), self.pointer(DATA), size, cookie, self.pointer(RESULTS))

    def path_open(self, name):
        chance = self.chance
        pokes, path = self.path()
        oflags = chance.choice([0, 0, 0, 0, *map(int, Oflags), int(Oflags.CREAT | Oflags.EXCL), 16])
        fdflags = chance.choice([0, 0, 0, *map(int, Fdflags), 32])
        follow = chance.choice([0, 1, 1, 2])
        fd = 3 if chance.random() < 0.6 else self.fd()
        numbers = (fd, follow, *path, oflags, self.rights(), self.rights(), fdflags)
        return pokes, name, (*numbers, self.pointer(RESULTS))

    def path_filestat_get(self, name):
        pokes, path = self.path()
        fd = 3 if self.chance.random() < 0.7 else self.fd()
        return pokes, name, (fd, self.chance.choice([0, 1, 1, 2]), *path, self.pointer(RESULTS))

    def fd_filestat_set_times(self, name):
        chance = self.chance
        moments = [0, 1, 999_999_999, 10**18 + 1, 2**63 - 1, 2**63, 2**64 - 1]
        flags = chance.choice([*range(16), 16, 2**16 - 1])
        return [], name, (self.fd(), chance.choice(moments), chance.choice(moments), flags)

    def clock_time_get(self, name):
        return [], name, (self.chance.randrange(5), 0, self.pointer(RESULTS))

    def random_get(self, name):
        size = self.chance.choice([0, 1, 8, 100, 200, 600, 2**32 - 1])
        return [], name, (self.pointer(DATA), size)

    def _words(self, name):
        return [], name, (self.pointer(RESULTS), self.pointer(DATA))

    args_sizes_get = args_get = environ_sizes_get = environ_get = _words

    # What only Python serves, on the same descriptors.

    def fd_fdstat_set_flags(self, name):
        return [], name, (self.fd(), self.chance.choice([0, 0, 1, 4, 2]))

    def fd_fdstat_set_rights(self, name):
        return [], name, (self.victim(), ALL_RIGHTS & ~(1 << self.chance.randrange(30)), 0)

    def fd_renumber(self, name):
        return [], name, (self.victim(), self.victim())

    def fd_filestat_set_size(self, name):
        return [], name, (self.fd(), self.chance.choice([0, 5, 3000, 2**63]))

    def fd_allocate(self, name):
        return [], name, (self.fd(), self.chance.randrange(50), self.chance.randrange(50))

    def fd_advise(self, name):
        return [], name, (self.fd(), 0, 10, self.chance.randrange(7))

    def _path_alone(self, name):
        pokes, path = self.path()
        return pokes, name, (3 if self.chance.random() < 0.7 else self.fd(), *path)

    path_create_directory = path_unlink_file = path_remove_directory = _path_alone

    def path_rename(self, name):
        pokes, path = self.path()
        more, to = self.path()
        return [*pokes, *more], name, (3, *path, 3, *to)


_WEIGHTS = {
    "fd_read": 10, "fd_write": 10, "fd_pread": 8, "fd_pwrite": 8, "fd_seek": 8, "fd_tell": 6,
    "fd_fdstat_get": 6, "fd_filestat_get": 5, "fd_prestat_get": 3, "fd_prestat_dir_name": 3,
    "fd_readdir": 5, "path_open": 16, "path_filestat_get": 10, "fd_close": 8, "clock_time_get": 1,
    "random_get": 1, "args_sizes_get": 1, "args_get": 1, "environ_sizes_get": 1, "environ_get": 1,
    "fd_fdstat_set_flags": 3, "fd_fdstat_set_rights": 1, "fd_renumber": 1,
    "fd_filestat_set_size": 2, "fd_filestat_set_times": 4, "fd_allocate": 1, "fd_advise": 1,
    "path_create_directory": 1, "path_unlink_file": 4, "path_remove_directory": 1, "path_rename": 1,
}  # fmt: skip


def streams(scratch, name, stdin, stdout):
    """Standard input (bytes, nothing, a file) and output (captured, dropped, a file)."""
    given, taken = scratch / f"{name}.in", scratch / f"{name}.out"
    given.write_bytes(b"from a file" * 20)
    return {
        "stdin": {"b": b"input" * 50, "n": DEVNULL, "f": given}[stdin],
        "stdout": {"c": PIPE, "n": DEVNULL, "f": taken}[stdout],
    }


class Pair:
    """The two guests."""

    def __init__(self, scratch, seed):
        self.chance = random.Random(seed)
        self.operations = Operations(self.chance)
        self.roots = [scratch / "mixed", scratch / "python"]
        for root in self.roots:
            root.mkdir()
            furnish(root)
        # Some guests have the same files in memory.
        self.trees = [MemoryFS(root) for root in self.roots] if self.chance.random() < 0.3 else []
        limits = {"open_files": 11, "output": 5000}
        kinds = self.chance.choice("bnf"), self.chance.choice("cnf")
        self.mixed, self.python = (
            Machine(given, SIZE, native=native, **limits, **streams(scratch, root.name, *kinds))
            for root, given, native in zip(
                self.roots, self.trees or map(str, self.roots), (True, False), strict=True
            )
        )
        self.inodes = {}

    def step(self):
        """Do one operation on both."""
        pokes, name, numbers = self.operations.next()
        for machine in (self.mixed, self.python):
            for at, data in pokes:
                machine.poke(at, data)
        how = self.chance.choice([NATIVE, NATIVE, FALLBACK, PYTHON])
        got = self.mixed.call(name, *numbers, how=how)
        expected = self.python.call(name, *numbers)
        if got != expected:
            raise Difference(f"{how}: {Errno(got).name}, in Python {Errno(expected).name}")
        if not got:
            self._match(name, numbers)
        if name in _CHANGING and not got:
            self.inodes.clear()
        if self.mixed.view != self.python.view:
            self._tell_memory(name, how)

    def _tell_memory(self, name, how):
        one, two = bytes(self.mixed.view), bytes(self.python.view)
        at = next(i for i in range(SIZE) if one[i] != two[i])
        raise Difference(
            f"{how}: memory at {at}: {one[at - 8 : at + 64]!r} {two[at - 8 : at + 64]!r}"
        )

    def _match(self, name, numbers):
        """Take out of memory what may differ: inodes (matched), times, clocks, random bytes."""
        if name in _INO:
            at = numbers[-1]
            self._same_inode(at + 8)
            self._blank(at, 8)  # the device
            self._blank(at + 40, 24)  # the times
        elif name == "fd_readdir":
            at, used = numbers[1], numbers[4]
            end = at + int.from_bytes(self.mixed.peek(used, 4), "little")
            while at < end:
                header = self.mixed.peek(at, 24)
                if at + 16 <= end and numbers[3] == 0:
                    self._same_inode(at + 8)
                elif at + 16 <= end:  # gone on with, it may tell of files that are gone
                    self._blank(at + 8, 8)
                else:
                    self._blank(at + 8, max(0, end - at - 8))
                if at + 24 > end:
                    break
                at += 24 + int.from_bytes(header[16:20], "little")
        elif name == "clock_time_get":
            self._blank(numbers[-1], 8)
        elif name == "random_get":
            self._blank(numbers[0], numbers[1])

    def _blank(self, at, size):
        for machine in (self.mixed, self.python):
            machine.poke(at, bytes(size))

    def _same_inode(self, at):
        one, two = (int.from_bytes(m.peek(at, 8), "little") for m in (self.mixed, self.python))
        if self.inodes.setdefault(one, two) != two:
            raise Difference(f"inode {one} is {two}, was {self.inodes[one]}")
        self._blank(at, 8)

    def compare_descriptors(self):
        one, two = self.mixed.descriptors(), self.python.descriptors()
        if one != two or len(self.mixed.host.fds) != len(self.python.host.fds):
            raise Difference(f"descriptors: {one} {two}")
        if self.mixed.output() != self.python.output():
            raise Difference("captured output")
        if self.mixed.streams.truncated != self.python.streams.truncated:
            raise Difference("truncation")

    def compare_files(self):
        if self.trees:
            one, two = (entries(tree.root) for tree in self.trees)
        else:
            one, two = (snapshot(root) for root in self.roots)
        if one != two:
            raise Difference(f"files: {one} {two}")
        one, two = (root.with_suffix(".out") for root in self.roots)
        if one.exists() and one.read_bytes() != two.read_bytes():
            raise Difference("output to a file")

    def close(self):
        self.mixed.close()
        self.python.close()


def entries(place):
    """All files below a directory in memory, with their contents: some are as long as can be."""
    found = {}
    for name, inode in place.entries.items():
        if isinstance(inode, DirectoryInode):
            found[name] = entries(inode)
        elif isinstance(inode, LinkInode):
            found[name] = inode.target
        else:
            found[name] = inode.size, inode.read(5000, 0), inode.nlink
    return found


def told_times(path):
    """A file's times, but none of these days: those were not set by a guest."""
    now, st = time.time_ns(), path.stat()
    return [ns for ns in (st.st_atime_ns, st.st_mtime_ns) if abs(ns - now) > 10**16]


def snapshot(root):
    """All files below a directory, with their contents and the times set by the guest."""
    found = {}
    for top, directories, files in os.walk(root):
        for name in directories + files:
            path = Path(top) / name
            if path.is_symlink():
                content = os.readlink(path)
            elif path.is_dir():
                content = None
            else:
                times = told_times(path)
                with path.open("rb") as file:  # some are sparse, and as long as files can be
                    content = path.stat().st_size, times, file.read(5000)
            found[str(path.relative_to(root))] = content
    return found


def run(operations, seed, length=500):
    """Compare over so many operations, in guests of ``length`` each; raise ``Difference``."""
    done = 0
    before = open_descriptors()
    while done < operations:
        with tempfile.TemporaryDirectory() as scratch:
            pair = Pair(Path(scratch), f"{seed}.{done}")
            try:
                for step in range(min(length, operations - done)):
                    try:
                        pair.step()
                        if step % 50 == 49:
                            pair.compare_descriptors()
                    except Exception as error:
                        error.add_note(f"seed {seed}.{done}, step {step}")
                        raise
                pair.compare_descriptors()
                pair.compare_files()
            finally:
                pair.close()
        done += length
        if open_descriptors() != before:
            raise Difference(f"descriptors leaked, seed {seed}.{done - length}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    began = time.monotonic()
    run(options.operations, options.seed)
    took = time.monotonic() - began
    print(f"{options.operations:,} operations in {took:,.0f} s: no difference, nothing leaked")


if __name__ == "__main__":
    sys.exit(main())
