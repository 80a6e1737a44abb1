"""Where wasmtime's own WASI answers otherwise, and who is right.

Each entry is a predicate over one difference, and says in words what differs and by which text
ours is right; ``ends``: the two worlds are not alike afterwards, so the sequence ends there.
Found with wasmtime 50.0.1; older ones differ in more that 50 has mended.
"""

from collections.abc import Callable
from typing import NamedTuple

from tests.attacks.guest import ROWS
from tests.differential.normalise import Fields
from tests.differential.steps import Step
from wasi_spec import Filetype, Rights


class Difference(NamedTuple):
    """One step that did not come to the same."""

    step: Step
    ours: Fields
    theirs: Fields
    names: list[str]
    ask: Callable[[Step], list[str]]

    @property
    def answers(self) -> tuple[str, str]:
        """Return our answer and theirs."""
        return self.ours["answer"], self.theirs["answer"]

    @property
    def paths(self) -> list[bytes]:
        """Return the paths among the arguments, and the text of a link."""
        return [value for value in self.step.arguments if isinstance(value, bytes)]


class Explanation(NamedTuple):
    """Why a difference is none of our mistakes."""

    what: str
    judge: str
    holds: Callable[[Difference], bool]
    ends: bool = False


READ, WRITE = int(Rights.FD_READ), int(Rights.FD_WRITE)


def _argument(difference: Difference, name: str) -> int:
    """Return the number given for a parameter."""
    names = [part.name for part in ROWS[difference.step.name].params]
    return int(difference.step.arguments[names.index(name)])


def _of(difference: Difference, *names: str) -> bool:
    return difference.step.name in names


def _empty(difference: Difference) -> bool:
    """Tell whether all vectors of a transfer are empty."""
    return not any(difference.step.arguments[1])


def _same_access(difference: Difference) -> bool:
    """Tell whether only rights differ, and not whether a file can be read or written."""
    if not set(difference.names) <= {"fdstat.base", "fdstat.inheriting"}:
        return False
    ours, theirs = difference.ours["fdstat.base"], difference.theirs["fdstat.base"]
    access = WRITE if difference.ours["fdstat.filetype"] == Filetype.DIRECTORY else READ | WRITE
    return (ours ^ theirs) & access == 0


def _is_stream(difference: Difference) -> bool:
    """Tell whether both say that the descriptor has no position."""
    return set(difference.ask(Step("fd_seek", (difference.step.arguments[0], 0, 1)))) == {"SPIPE"}


def _bad_texts(difference: Difference) -> set[str]:
    """Return the errnos for those texts among the arguments that are no paths."""
    return {fault for path in difference.paths if (fault := _bad_text(path))}


def _bad_text(path: bytes) -> str | None:
    if len(path) > 4095:
        return "NAMETOOLONG"
    try:
        return "INVAL" if "\0" in path.decode() else None
    except UnicodeDecodeError:
        return "ILSEQ"


def _beyond(difference: Difference) -> bool:
    """Tell whether a transfer would end beyond the largest offset."""
    size = sum(len(data) for data in difference.step.arguments[1])
    return _argument(difference, "offset") + size > 2**63 - 1


def _both_paths(difference: Difference) -> bool:
    """Tell whether the old path alone is refused as we say, the new one alone as they say."""
    numbers = [value for value in difference.step.arguments if not isinstance(value, bytes)]
    old, new = (
        difference.ask(Step("path_filestat_get", (fd, 0, path)))
        for fd, path in zip((numbers[0], numbers[-1]), difference.paths, strict=True)
    )
    return {*old} == {difference.answers[0]} and {*new} == {difference.answers[1]}


def _behind_slash(difference: Difference) -> tuple[int, bytes] | None:
    """Return descriptor and name of a last path that ends with a slash, without the slash."""
    path = difference.paths[-1] if difference.paths else b""
    if not path.endswith(b"/") or not path.strip(b"/"):
        return None
    at = difference.step.arguments.index(path) - 1
    fds = [value for value in difference.step.arguments if not isinstance(value, bytes)]
    return (fds[-1] if at else fds[0]), path.rstrip(b"/")


def _is_there(difference: Difference) -> bool:
    """Tell whether the name before a last slash exists, be it a link to nothing."""
    place = _behind_slash(difference)
    return place is not None and set(
        difference.ask(Step("path_filestat_get", (place[0], 0, place[1])))
    ) == {"SUCCESS"}


def _is_link(difference: Difference) -> bool:
    """Tell whether the name before a last slash is a link."""
    place = _behind_slash(difference)
    if place is None:
        return False
    answers = difference.ask(Step("path_readlink", (*place, None, 0)))
    return answers[0] in {"SUCCESS", "PERM"} and answers[0] == answers[1]


def _is_file(difference: Difference) -> bool:
    """Tell whether a subscription is to a regular file, that is, something with a position."""
    data = difference.step.arguments[0]
    fd = int.from_bytes(data[16:20], "little")
    return set(difference.ask(Step("fd_tell", (fd,)))) == {"SUCCESS"}


def _only_counts(difference: Difference) -> bool:
    """Tell whether events differ in how much is ready, and in the mark of the end, only."""
    return difference.names == ["event 0"] and (
        difference.ours["event 0"][:3] == difference.theirs["event 0"][:3]
    )


EXPLANATIONS: tuple[Explanation, ...] = (
    Explanation(
        "shows other rights in fdstat, and rights that a kind never has",
        "ours is the grant, less what the kind lacks; catalogue 91 and 92, official: fd_fdstat",
        lambda d: _of(d, "fd_fdstat_get") and _same_access(d),
    ),
    Explanation(
        "does not set the flags of a standard stream: BADF",
        "POSIX: F_SETFL works on every descriptor; catalogue 17",
        lambda d: (
            _of(d, "fd_fdstat_set_flags") and d.answers == ("SUCCESS", "BADF") and _is_stream(d)
        ),
    ),
    Explanation(
        "says INTR to a read of 0 bytes from standard input",
        "POSIX: read of 0 bytes returns 0; catalogue 4",
        lambda d: _of(d, "fd_read") and _empty(d) and d.answers == ("SUCCESS", "INTR"),
    ),
    Explanation(
        "does not tell how much is ready",
        "spec: event_fd_readwrite, nbytes; catalogue 61",
        lambda d: _of(d, "poll_oneoff") and _only_counts(d),
    ),
    Explanation(
        "looks at the descriptor before flags that exclude each other",
        "both are at fault; ours is the catalogue's order, numbers first",
        lambda d: (
            _of(d, "path_open", "path_filestat_set_times", "fd_filestat_set_times")
            and d.answers in {("INVAL", "BADF"), ("INVAL", "NOTDIR")}
        ),
    ),
    Explanation(
        "does not look at the path where no time is to be set",
        "POSIX: utimensat with UTIME_OMIT twice may; ours finds what is not there",
        lambda d: (
            _of(d, "path_filestat_set_times")
            and _argument(d, "fst_flags") == 0
            and d.answers[1] == "SUCCESS"
        ),
    ),
    Explanation(
        "looks at the descriptor, or the first path, before the text of all paths",
        "both are at fault; ours is the catalogue's order: text first, and never cut",
        lambda d: "SUCCESS" not in d.answers and d.answers[0] in _bad_texts(d),
    ),
    Explanation(
        "looks at the new path before the old one",
        "both are at fault; POSIX leaves the order open",
        lambda d: _of(d, "path_link", "path_rename") and _both_paths(d),
    ),
    Explanation(
        "looks at the length of the other path before a name that cannot be renamed",
        "both are at fault; catalogue 32, '.' and '..' are BUSY even if the other is missing",
        lambda d: (
            _of(d, "path_rename")
            and d.answers[0] == "BUSY"
            and d.answers[1] != "SUCCESS"
            and any(path.rstrip(b"/").split(b"/")[-1] in {b".", b".."} for path in d.paths)
        ),
    ),
    Explanation(
        "counts cookies in the directory as it is now",
        "POSIX: readdir, what is listed is listed once; catalogue 47",
        lambda d: (
            _of(d, "fd_readdir")
            and d.answers == ("SUCCESS", "SUCCESS")
            and _argument(d, "cookie") > 0
        ),
    ),
    Explanation(
        "reads a directory anew for each call, so that its access time moves",
        "ours reads it once for cookie 0; POSIX: readdir may buffer",
        lambda d: (
            d.names == ["filestat.atim"]
            and d.ours["filestat.filetype"] == Filetype.DIRECTORY
            and d.theirs["filestat.atim"] == "now"
        ),
    ),
    Explanation(
        "does not have fd_allocate",
        "spec: fd_allocate, like posix_fallocate; official: fd_allocate",
        lambda d: _of(d, "fd_allocate") and d.answers[1] == "NOTSUP",
    ),
    Explanation(
        "refuses a slash behind the name of a directory to remove",
        "POSIX: rmdir; official: remove_directory_trailing_slashes; catalogue 31",
        lambda d: (
            _of(d, "path_remove_directory")
            and d.answers in {("SUCCESS", "INVAL"), ("NOTEMPTY", "INVAL")}
            and d.paths[0].endswith(b"/")
        ),
    ),
    Explanation(
        "follows a link with a slash behind it that is to be removed as a directory",
        "POSIX: rmdir of a link is NOTDIR; catalogue 31",
        lambda d: _of(d, "path_remove_directory") and d.answers[0] == "NOTDIR" and _is_link(d),
    ),
    Explanation(
        "follows a link with a slash behind it where something is to be made",
        "POSIX as Linux answers: mkdir, symlink, link at an existing name are EXIST; catalogue 31",
        lambda d: (
            _of(d, "path_create_directory", "path_symlink", "path_link")
            and d.answers[0] == "EXIST"
            and _is_there(d)
        ),
    ),
    Explanation(
        "does not look at an empty path first",
        "both are at fault; catalogue 32, an empty path is NOENT on either side",
        lambda d: b"" in d.paths and d.answers[0] == "NOENT" and d.answers[1] != "SUCCESS",
    ),
    Explanation(
        "writes nothing at an offset that no file has, with success",
        "POSIX: pwrite at a negative offset is INVAL; catalogue 51",
        lambda d: (
            _of(d, "fd_pwrite", "fd_pread")
            and _empty(d)
            and _argument(d, "offset") >= 2**63
            and d.answers == ("INVAL", "SUCCESS")
        ),
    ),
    Explanation(
        "looks at the offset before the descriptor's mode",
        "both are at fault; catalogue: not open for it BADF comes first",
        lambda d: (
            _of(d, "fd_pwrite", "fd_pread")
            and _argument(d, "offset") >= 2**63
            and d.answers == ("BADF", "INVAL")
        ),
    ),
    Explanation(
        "does not keep the flags that a directory was opened with",
        "spec: fdstat, fs_flags; catalogue 55",
        lambda d: (
            _of(d, "fd_fdstat_get")
            and set(d.names) <= {"fdstat.base", "fdstat.inheriting", "fdstat.flags"}
            and d.ours["fdstat.filetype"] == Filetype.DIRECTORY
            and d.theirs["fdstat.flags"] == 0
        ),
    ),
    Explanation(
        "does not look at the offset of a write that goes to the end anyway",
        "POSIX: pwrite at a negative offset, or over the largest one, is INVAL; catalogue 51",
        lambda d: _of(d, "fd_pwrite") and d.answers == ("INVAL", "SUCCESS") and _beyond(d),
    ),
    Explanation(
        "takes a position of 2^63 and more",
        "POSIX: lseek over the largest offset is refused; catalogue 50",
        lambda d: (
            _of(d, "fd_seek")
            and _argument(d, "offset") > 0
            and d.answers == ("INVAL", "SUCCESS")
            and d.theirs["newoffset"] >= 2**63
        ),
    ),
    Explanation(
        "says that a file is ready for what it was not opened for",
        "ours: what is not open for reading or writing is BADF, as the call itself answers",
        lambda d: _of(d, "poll_oneoff") and d.answers == ("BADF", "SUCCESS") and _is_file(d),
    ),
)


#: Where our filesystems may differ among themselves.
BETWEEN_FILESYSTEMS: tuple[Explanation, ...] = (
    Explanation(
        "a host filesystem takes sizes that a tree in memory does not",
        "catalogue 51 and 52: FBIG where the filesystem ends; tmpfs ends later than ext4 and ours",
        lambda d: (
            _of(d, "fd_allocate", "fd_pwrite", "fd_write", "fd_filestat_set_size")
            and d.answers in {("SUCCESS", "FBIG"), ("NOSPC", "FBIG")}
        ),
    ),
)


def explanation(
    difference: Difference, entries: tuple[Explanation, ...] = EXPLANATIONS
) -> Explanation | None:
    """Return the entry that explains a difference, None if none does."""
    return next((entry for entry in entries if entry.holds(difference)), None)
