"""What a filesystem may lack, how it says so, and what it must answer then.

A contract class lists in `lacks` what its filesystem cannot do. A test that `needs` one of these
is left out, tables expect the refusal instead, and `Refusals` (in `contract`) checks each one.
"""

from tests.fs.actions import READING

#: Any change at all: everything that would be one is EPERM, before the path is looked at.
CHANGES = "changes"
#: Making symbolic links, or having any: ENOTSUP.
SYMBOLIC_LINKS = "symbolic links"
#: Second names of a file: ENOTSUP.
HARD_LINKS = "hard links"
#: Setting times: ENOTSUP.
TIMES = "setting times"
#: Making a file longer without writing to it: ENOTSUP.
ALLOCATION = "allocation"
#: A file that is open is still itself after it was renamed, replaced or unlinked.
OPEN_FILES_WITHOUT_A_NAME = "open files without a name"
#: A directory that is open is still itself after it was renamed or removed.
OPEN_DIRECTORIES_WITHOUT_A_NAME = "open directories without a name"
#: Times to the nanosecond, of any size.
NANOSECONDS = "nanoseconds"

EVERYTHING = frozenset((
    CHANGES, SYMBOLIC_LINKS, HARD_LINKS, TIMES, ALLOCATION, OPEN_FILES_WITHOUT_A_NAME,
    OPEN_DIRECTORIES_WITHOUT_A_NAME, NANOSECONDS,
))  # fmt: skip

_REFUSED = {
    SYMBOLIC_LINKS: ("symlink",),
    HARD_LINKS: ("link-from", "link-to"),
    TIMES: ("set-times", "set-link-times"),
}


def needs(*what):
    """Marks a test of something that a filesystem may lack."""
    assert EVERYTHING.issuperset(what)

    def mark(function):
        function.needs = what
        return function

    return mark


def answers(lacks, action, expected):
    """What an action may answer where one that lacks nothing answers `expected`."""
    if CHANGES in lacks and action not in READING:
        return ("EPERM",)
    for what, actions in _REFUSED.items():
        if what in lacks and action in actions:
            # Of two faults the filesystem may see either first.
            return ("ENOTSUP",) if expected == "ok" else (expected, "ENOTSUP")
    return (expected,)
