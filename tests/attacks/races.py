"""A guest at work in a directory where another process swaps directories, links and files.

``python -m tests.attacks.races --seconds 60`` runs it from an engine (so by the native part, where
it is there) and without one, with ``openat2`` and by the walk; ``tests/attacks/test_races.py`` runs
a second of each. The other process exchanges a directory with a link to the outside, a file with a
link to the secret, a link that stays inside with one that leaves, as fast as it can. The guest
opens, creates, renames, links and removes through all of them. It must never read the secret, see
an inode of the outside, or leave a trace there.
"""

import argparse
import contextlib
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.attacks.backends import BACKENDS
from tests.attacks.guest import CREAT, DIRECTORY, EXCL, READ, TRUNC, WRITE, Guest
from tests.fs.backends import bit_image
from wasi_host.fs import openat2
from wasi_spec import Errno

SECRET = b"what nobody inside may read"
PROJECT = Path(__file__).resolve().parents[2]
#: What the guest works on: ``d`` and ``f`` are swapped, ``l`` leads in or out.
PATHS = [
    "d", "d/f", "d/secret", "d/sub", "d/sub/f", "d/new", "d/sub/new", "f", "l", "l/f", "l/sub/new",
    "l/secret", "d/../f", "d/sub/../../f", "l/../d/f", "new", "d/", "d/sub/",
]  # fmt: skip


class Race(NamedTuple):
    """How a race went: calls by function and answer, and what was reached outside."""

    answers: Counter[tuple[str, str]]
    reached: list[str]

    @property
    def calls(self) -> int:
        """Return how many calls the guest made."""
        return self.answers.total()


def furnish(base: Path) -> tuple[Path, Path]:
    """Make the guest's root and the outside beside it; return both."""
    root, outside = base / "root", base / "outside"
    (outside / "sub").mkdir(parents=True)
    for name in ("secret", "f", "sub/f"):
        (outside / name).write_bytes(SECRET)
    root.mkdir()
    _restore(root)
    return root, outside


def _restore(root: str | Path) -> None:
    """Make what is swapped, where the guest has taken it away; follow no link."""
    with contextlib.suppress(OSError):
        os.mkdir(os.path.join(root, "d"))
    top = os.open(root, os.O_DIRECTORY)
    for names in (["f"], ["d", "f"], ["d", "sub", "f"]):
        with _below(top, names[:-1]) as fd, contextlib.suppress(OSError):
            if names[:-1] == ["d"]:
                os.mkdir("sub", dir_fd=fd)
        with _below(top, names[:-1]) as fd, contextlib.suppress(OSError):
            made = os.open(names[-1], os.O_WRONLY | os.O_CREAT | os.O_EXCL, dir_fd=fd)
            os.write(made, b"inside")
            os.close(made)
    os.close(top)


@contextlib.contextmanager
def _below(top: int, names: list[str]) -> Iterator[int]:
    """Hold a directory below another that is reached by no link; -1 if it is not there."""
    fd = os.dup(top)
    try:
        for name in names:
            above, fd = fd, -1
            with contextlib.suppress(OSError):
                fd = os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
            os.close(above)
            if fd < 0:
                break
        yield fd
    finally:
        if fd >= 0:
            os.close(fd)


def swap(root: Path, outside: Path) -> None:
    """Swap for ever; whoever started this ends it."""
    top = os.open(root, os.O_DIRECTORY)
    chance = random.Random(1)
    ways = ["../outside", str(outside), "../root/../outside", "d/../../outside"]
    while True:
        way = chance.choice(ways)
        _exchange(top, "d", way, chance)
        _exchange(top, "f", f"{way}/secret", chance)
        with _below(top, ["d"]) as fd:
            _exchange(fd, "sub", "../../outside/sub", chance)
        for target in (chance.choice(ways), "d"):
            with contextlib.suppress(OSError):
                os.symlink(target, "l_", dir_fd=top)
                os.rename("l_", "l", src_dir_fd=top, dst_dir_fd=top)
        if chance.random() < 0.1:
            _restore(root)


def _exchange(at: int, name: str, target: str, chance: random.Random) -> None:
    """Put a link in the place of a name, for a moment."""
    aside, link = f"{name}_", f"{name}-"
    with contextlib.suppress(OSError):
        os.symlink(target, link, dir_fd=at)
    with contextlib.suppress(OSError):
        os.rename(name, aside, src_dir_fd=at, dst_dir_fd=at)
        os.rename(link, name, src_dir_fd=at, dst_dir_fd=at)
    for _ in range(chance.randrange(200)):
        pass
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=at)
    with contextlib.suppress(OSError):
        os.rename(aside, name, src_dir_fd=at, dst_dir_fd=at)


def race(
    base: Path, seconds: float, *, walk: bool, backend: str = "values", calls: int | None = None
) -> Race:
    """Let a guest work for so long, or for so many calls, while another process swaps.

    Args:
        base: an empty directory.
        seconds: how long at most.
        walk: without ``openat2``.
        backend: how the guest calls; ``engine`` is served by the native part where it is there.
        calls: how many calls at most.
    """
    root, outside = furnish(base)
    before = bit_image(outside)
    forced = openat2.force_off(walk)
    command = [sys.executable, "-m", "tests.attacks.races", "--swap", str(root), str(outside)]
    swapper = subprocess.Popen(command, cwd=PROJECT)
    guest = Guest(BACKENDS[backend]({"/": root}))
    try:
        worker = _Worker(guest, outside)
        end = time.monotonic() + seconds
        while time.monotonic() < end and (calls is None or worker.answers.total() < calls):
            assert swapper.poll() is None, "the process that swaps has ended"
            for _ in range(100):
                worker.step()
    finally:
        guest.close()
        swapper.kill()
        swapper.wait()
        openat2.force_off(forced)
    if bit_image(outside) != before:
        worker.reached.append("the outside was changed")
    return Race(worker.answers, worker.reached)


class _Worker:
    """The guest: makes random calls and looks at what they give."""

    def __init__(self, guest: Guest, outside: Path) -> None:
        self.guest = guest
        self.random = random.Random(2)
        self.answers: Counter[tuple[str, str]] = Counter()
        self.reached: list[str] = []
        self.inodes = {
            os.lstat(path).st_ino for path in [outside, *outside.rglob("*")] if path.exists()
        }
        self.first = guest.next

    def step(self) -> None:
        """Make one call, and look at what was opened by it."""
        self.guest.next = self.first
        name = self.random.choice(
            ["path_open"] * 6
            + ["path_filestat_get", "path_filestat_set_times", "path_create_directory"]
            + ["path_rename", "path_link", "path_symlink", "path_unlink_file"]
            + ["path_remove_directory"]
        )
        errno = getattr(self, name)(self.random.choice(PATHS))
        self.answers[name, errno.name] += 1

    def path_open(self, path: str) -> Errno:
        oflags = self.random.choice([0, 0, CREAT, CREAT | EXCL, CREAT | TRUNC, DIRECTORY])
        rights = READ if oflags == DIRECTORY else self.random.choice([READ, READ | WRITE])
        follow = self.random.random() < 0.7
        errno = self.guest.try_open(path, follow=follow, oflags=oflags, rights=rights)
        if errno is Errno.SUCCESS:
            fd = self.guest.result
            if self.guest.must("fd_filestat_get", fd).ino in self.inodes:
                self.reached.append(f"opened {path}")
            if oflags != DIRECTORY and self.guest.call("fd_read", fd, self.guest.vector(64)) is (
                Errno.SUCCESS
            ):
                if SECRET in self.guest.get(self.first, 4096):
                    self.reached.append(f"read {path}")
                self.guest.call("fd_write", fd, self.guest.vector(b"inside"))
            self.guest.must("fd_close", fd)
        return errno

    def path_filestat_get(self, path: str) -> Errno:
        errno = self.guest.call("path_filestat_get", 3, self.random.randrange(2), path)
        if errno is Errno.SUCCESS and self.guest.result.ino in self.inodes:
            self.reached.append(f"saw {path}")
        return errno

    def path_filestat_set_times(self, path: str) -> Errno:
        follow = self.random.randrange(2)
        return self.guest.call("path_filestat_set_times", 3, follow, path, 5, 5, 5)

    def path_create_directory(self, path: str) -> Errno:
        return self.guest.call("path_create_directory", 3, path)

    def path_rename(self, path: str) -> Errno:
        return self.guest.call("path_rename", 3, path, 3, self.random.choice(PATHS))

    def path_link(self, path: str) -> Errno:
        return self.guest.call("path_link", 3, 0, path, 3, self.random.choice(PATHS))

    def path_symlink(self, path: str) -> Errno:
        target = self.random.choice(["..", "../outside", "d", "../../outside/secret"])
        return self.guest.call("path_symlink", target, 3, path)

    def path_unlink_file(self, path: str) -> Errno:
        return self.guest.call("path_unlink_file", 3, path)

    def path_remove_directory(self, path: str) -> Errno:
        return self.guest.call("path_remove_directory", 3, path)


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="wasi-host-races-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def main() -> int:
    """Race as the words say; the exit status is 1 where anything outside was reached."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks.races")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--swap", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.swap:
        swap(*given.swap)
    reached = []
    for backend, walk in itertools.product(BACKENDS, (False, True)):
        with _scratch() as base:
            done = race(base, given.seconds, walk=walk, backend=backend)
        way = f"{backend}, {'the walk' if walk else 'openat2'}"
        refused = sum(count for (_, answer), count in done.answers.items() if answer == "PERM")
        print(
            f"{way}: {done.calls:,} calls, {refused:,} answered PERM, {len(done.reached)} reached"
        )
        reached += done.reached
    print("\n".join(sorted(set(reached))))
    return 1 if reached else 0


if __name__ == "__main__":
    sys.exit(main())
