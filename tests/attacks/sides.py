"""The ten path calls, one entry for each path they take and each way of taking it.

A side's call is ``(guest, fd, path) -> Errno``; the other path of rename and link is one that
works: ``ordinary`` exists beside, ``fresh`` does not.
"""

from collections.abc import Callable

from tests.attacks.guest import CREAT, DIRECTORY, EXCL, READ, WRITE, Guest
from tests.attacks.places import Place
from wasi_spec import Errno, Fstflags

Path = str | bytes
Call = Callable[[Guest, int, Path], Errno]

MTIM = int(Fstflags.MTIM)
#: The time that set_times sets, in nanoseconds.
STAMP = 1_234_567_890_123_456_789


def opening(oflags: int, *, follow: bool, rights: int = READ) -> Call:
    return lambda guest, fd, path: guest.try_open(
        path, fd=fd, follow=follow, oflags=oflags, rights=rights
    )


SIDES: dict[str, Call] = {
    "create_directory": lambda guest, fd, path: guest.call("path_create_directory", fd, path),
    "filestat_get": lambda guest, fd, path: guest.call("path_filestat_get", fd, 0, path),
    "filestat_get following": lambda guest, fd, path: guest.call("path_filestat_get", fd, 1, path),
    "filestat_set_times": lambda guest, fd, path: guest.call(
        "path_filestat_set_times", fd, 0, path, 0, STAMP, MTIM
    ),
    "filestat_set_times following": lambda guest, fd, path: guest.call(
        "path_filestat_set_times", fd, 1, path, 0, STAMP, MTIM
    ),
    "link from": lambda guest, fd, path: guest.call("path_link", fd, 0, path, fd, "fresh"),
    "link to": lambda guest, fd, path: guest.call("path_link", fd, 0, "ordinary", fd, path),
    "open": opening(0, follow=False),
    "open following": opening(0, follow=True),
    "open a directory": opening(DIRECTORY, follow=True),
    "open creating": opening(CREAT, follow=False, rights=READ | WRITE),
    "open creating and following": opening(CREAT, follow=True, rights=READ | WRITE),
    "open exclusively": opening(CREAT | EXCL, follow=False, rights=READ | WRITE),
    "readlink": lambda guest, fd, path: guest.call("path_readlink", fd, path, guest.alloc(64), 64),
    "remove_directory": lambda guest, fd, path: guest.call("path_remove_directory", fd, path),
    "rename from": lambda guest, fd, path: guest.call("path_rename", fd, path, fd, "fresh"),
    "rename to": lambda guest, fd, path: guest.call("path_rename", fd, "ordinary", fd, path),
    "symlink at": lambda guest, fd, path: guest.call("path_symlink", "target", fd, path),
    "unlink_file": lambda guest, fd, path: guest.call("path_unlink_file", fd, path),
}

#: Sides that make something new at the path.
MAKING = {
    "create_directory", "link to", "open creating", "open creating and following",
    "open exclusively", "rename to", "symlink at",
}  # fmt: skip

#: Sides that look at, or act on, a file that is there.
USING = {
    "filestat_get", "filestat_get following", "filestat_set_times",
    "filestat_set_times following", "link from", "open", "open following", "rename from",
    "unlink_file",
}  # fmt: skip

#: Sides that follow a link in last place.
FOLLOWING = {
    "filestat_get following", "filestat_set_times following", "open following",
    "open a directory", "open creating and following",
}  # fmt: skip


def furnish(place: Place) -> None:
    """Make the names that sides need, in the root and in ``a``, where ``a/b`` is again."""
    for top in ("", "a/"):
        place.write(f"{top}ordinary", b"inside")
        place.mkdir(f"{top}a")
        place.mkdir(f"{top}a/b")


def answers(call: Call, guest: Guest, fd: int, paths: list[Path]) -> dict[Path, Errno]:
    """Return what each path is answered with."""
    return {path: call(guest, fd, path) for path in paths}
