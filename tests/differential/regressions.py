"""Shrunk sequences that once differed, by what they showed."""

from tests.differential.steps import Step

_CREATE, _READ_WRITE, _ALL = 1, 66, (1 << 30) - 1

#: Run on wasmtime's own WASI and on ours; each is explained by an entry, or the same today.
AGAINST_WASMTIME: dict[str, list[Step]] = {
    "a link with a slash behind it is no place for a new link": [
        Step("path_symlink", (b"b", 3, b"a")),
        Step("path_symlink", (b"c", 3, b"a//")),
    ],
    "a link out of the root with a slash behind it is no place for a new link": [
        Step("path_symlink", (b"..", 3, b"b")),
        Step("path_symlink", (b"c", 3, b"b/")),
    ],
    "a link with a slash behind it is no directory to remove": [
        Step("path_symlink", (b"nothing", 3, b"a")),
        Step("path_remove_directory", (3, b"a/")),
    ],
    "a write at the end has to have a sensible offset": [
        Step("path_open", (3, 0, b"a", _CREATE, _READ_WRITE, _ALL, 1), opens=10),
        Step("fd_pwrite", (10, (b"x",), 2**64 - 1)),
    ],
    "a listing goes on where it was, whatever was made meanwhile": [
        Step("fd_readdir", (3, None, 24, 0)),
        Step("path_create_directory", (3, b"a")),
        Step("fd_readdir", (3, None, 100, 2)),
    ],
    "a position beyond the largest offset is refused": [
        Step("path_open", (3, 0, b"a", _CREATE, _READ_WRITE, _ALL, 0), opens=10),
        Step("fd_write", (10, (b"x",))),
        Step("fd_seek", (10, 2**63 - 1, 2)),
    ],
    "reading nothing moves the access time where the host's filesystem says so": [
        Step("path_open", (3, 0, b"a", _CREATE, _READ_WRITE, _ALL, 0), opens=10),
        Step("path_filestat_set_times", (3, 0, b"a", 1, 999_999_999, 5)),
        Step("fd_read", (10, (0, 0))),
        Step("fd_filestat_get", (10,)),
    ],
    "the old path of a link and its new one are both at fault": [
        Step("path_link", (3, 0, b"missing", 3, b"..")),
    ],
    "a name that cannot be renamed and a path that is too long": [
        Step("path_create_directory", (3, b"a")),
        Step("path_rename", (3, b"x" * 4095, 3, b"a/..")),
    ],
    "a text with a NUL and a name that is no UTF-8": [
        Step("path_symlink", (b"a\0b", 3, b"\xed\xa0\x80")),
    ],
    "a write at the end beyond the largest offset": [
        Step("path_open", (3, 0, b"a", _CREATE, _READ_WRITE, _ALL, 1), opens=10),
        Step("fd_pwrite", (10, (b"x",), 2**63 - 1)),
    ],
}
