"""Every operation on a path by name, and how an outcome is put into one word."""

import errno
import os

from wasi_host.fs.node import Node

READ, WRITE, CREATE = os.O_RDONLY, os.O_WRONLY, os.O_CREAT
UPDATE = os.O_RDWR | os.O_CREAT
FRESH = "fresh"  # a name that no tree has

ACTIONS = {
    "open": lambda d, p: d.open_at(p, READ, True),
    "open-nofollow": lambda d, p: d.open_at(p, READ, False),
    "open-write": lambda d, p: d.open_at(p, WRITE, True),
    "open-truncate": lambda d, p: d.open_at(p, os.O_TRUNC, True),
    "open-directory": lambda d, p: d.open_at(p, os.O_DIRECTORY, True),
    "open-directory-nofollow": lambda d, p: d.open_at(p, os.O_DIRECTORY, False),
    "create": lambda d, p: d.open_at(p, UPDATE, True),
    "create-nofollow": lambda d, p: d.open_at(p, UPDATE, False),
    "create-exclusive": lambda d, p: d.open_at(p, UPDATE | os.O_EXCL, True),
    "create-exclusive-nofollow": lambda d, p: d.open_at(p, UPDATE | os.O_EXCL, False),
    "stat": lambda d, p: d.stat_at(p, True),
    "lstat": lambda d, p: d.stat_at(p, False),
    "set-times": lambda d, p: d.set_times_at(p, True, 1_000_000_001, 2_000_000_002),
    "set-link-times": lambda d, p: d.set_times_at(p, False, 1_000_000_001, 2_000_000_002),
    "mkdir": lambda d, p: d.make_dir_at(p),
    "rmdir": lambda d, p: d.remove_dir_at(p),
    "unlink": lambda d, p: d.unlink_at(p),
    "symlink": lambda d, p: d.symlink_at("file", p),
    "readlink": lambda d, p: d.read_link_at(p),
    "rename-from": lambda d, p: d.rename_at(p, d, FRESH),
    "rename-to": lambda d, p: d.rename_at("file", d, p),
    "rename-directory-to": lambda d, p: d.rename_at("empty", d, p),
    "link-from": lambda d, p: d.link_at(p, d, FRESH),
    "link-to": lambda d, p: d.link_at("file", d, p),
}
#: Those that follow a link in last place, and those that act on the link itself.
FOLLOWING = ["open", "open-write", "open-truncate", "open-directory", "create", "stat", "set-times"]
#: Those that change nothing.
READING = ["open", "open-nofollow", "open-directory", "open-directory-nofollow", "stat", "lstat",
           "readlink"]  # fmt: skip
CHANGING = [
    "open-write", "open-truncate", "create", "create-exclusive", "set-times", "set-link-times",
    "mkdir", "rmdir", "unlink", "symlink", "rename-from", "rename-to", "link-from", "link-to",
]  # fmt: skip


def outcome(call, *args):
    """The errno's name, or "ok"; a node that was opened is closed."""
    try:
        result = call(*args)
    except OSError as error:
        return errno.errorcode[error.errno]
    if isinstance(result, Node):
        result.close()
    return "ok"


def act(name, directory, path):
    return outcome(ACTIONS[name], directory, path)


def each(action, directory, paths):
    """What the action answers to each of the paths."""
    return {path: act(action, directory, path) for path in paths}


def table(text):
    """Rows of a table of words; "''" is the empty word."""
    rows = [line.split() for line in text.strip().splitlines() if line.strip()]
    return [tuple("" if word == "''" else word for word in row) for row in rows]


def in_words(value):
    return repr(value) if value in ("", ".", "..") else value


def snapshot(directory):
    """Everything below: names to contents, link texts and numbers of names."""
    found = {}
    for entry in directory.entries():
        stat = directory.stat_entry(entry.name)
        assert stat[2] == entry.filetype
        if entry.filetype == 3:
            child = directory.open_entry(entry.name, os.O_DIRECTORY)
            found[entry.name] = snapshot(child)
            child.close()
        elif entry.filetype == 7:
            found[entry.name] = ("link", directory.read_link(entry.name))
        else:
            node = directory.open_entry(entry.name, os.O_RDONLY)
            found[entry.name] = (node.pread(stat[4] + 1, 0), stat[3])
            node.close()
    return found
