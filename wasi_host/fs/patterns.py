"""Which names of a tree are seen: patterns of paths, and what they say of one path.

A pattern is compared with a path from the root, name by name. In a name ``*`` stands for any
characters, ``?`` for one, ``[abc]`` for one of these; ``**`` as a whole name stands for any
number of names. A pattern of one name (``*.key``) is compared with the last name of a path, in
whatever directory; one with a slash in it (``/*.key``, ``secret/*``) begins at the root. What
matches stands for all below it too.
"""

import fnmatch
import re
import sys
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final

__all__ = ["Patterns", "Rules", "Verdict", "listed"]

#: Where the host does not tell ``A`` from ``a``, a pattern must not either.
_FLAGS: Final = re.IGNORECASE if sys.platform in ("darwin", "win32") else 0


class Verdict(Enum):
    """What is to be seen of a path."""

    #: Nothing: it is denied, or not allowed.
    HIDDEN = "hidden"
    #: A directory only, since something below it may be allowed.
    WAY = "way"
    #: All of it.
    SHOWN = "shown"


class _Pattern:
    """One pattern, as names to compare with; None stands for any number of names."""

    __slots__ = ("_names",)

    def __init__(self, text: object, what: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"{what} has patterns of paths (str), not {text!r}")
        names = text.strip("/").split("/")
        if not {"", ".", ".."}.isdisjoint(names) or "\0" in text:
            raise ValueError(f"{what}: {text!r} is no pattern of a path inside")
        if "/" not in text.rstrip("/"):
            names.insert(0, "**")
        if names[-1] == "**":
            # Everything below, not the directory itself; a name stands for what is below it.
            names[-1] = "*"
        self._names = [None if name == "**" else _compiled(name) for name in names]

    def states(self) -> set[int]:
        """Return how many names of the pattern may be behind us at the root."""
        return self._skipped({0})

    def after(self, states: set[int], name: str) -> set[int]:
        """Return the same, one name further down."""
        found = set()
        for state in states:
            if state < len(self._names):
                wanted = self._names[state]
                if wanted is None:
                    found.add(state)
                elif wanted.match(name):
                    found.add(state + 1)
        return self._skipped(found)

    def _skipped(self, states: set[int]) -> set[int]:
        for state in sorted(states):
            while state < len(self._names) and self._names[state] is None:
                state += 1
                states.add(state)
        return states

    def matched(self, states: set[int]) -> bool:
        """Tell whether nothing of the pattern is left."""
        return len(self._names) in states


def _compiled(name: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(name), _FLAGS)


def listed(patterns: str | Iterable[str] | None, what: str) -> str | tuple[str, ...] | None:
    """Return patterns so that they can be gone through more than once. TypeError: none."""
    if patterns is None or isinstance(patterns, str):
        return patterns
    if not isinstance(patterns, Iterable):
        raise TypeError(f"{what} is a pattern of paths (str), or several, not {patterns!r}")
    return tuple(patterns)


class Patterns:
    """Several patterns: a path matches if one of them does.

    Raises:
        TypeError: no pattern, nor several.
        ValueError: a pattern is empty, or has ``.``, ``..``, an empty name or a NUL in it.
    """

    __slots__ = ("_patterns",)

    def __init__(self, patterns: str | Iterable[str], what: str) -> None:
        given = (patterns,) if isinstance(patterns, str) else tuple(patterns)
        self._patterns = [_Pattern(pattern, what) for pattern in given]

    def match(self, names: Sequence[str]) -> Verdict:
        """Tell whether a path, or one above it, matches; WAY if one below might."""
        open_end = False
        for pattern in self._patterns:
            states = pattern.states()
            for name in names:
                states = pattern.after(states, name)
                if pattern.matched(states):
                    return Verdict.SHOWN
            open_end = open_end or bool(states)
        return Verdict.WAY if open_end else Verdict.HIDDEN


class Rules:
    """What is allowed (None: all) and not denied (None: nothing is)."""

    __slots__ = ("_allow", "_deny")

    def __init__(self, allow: str | Iterable[str] | None, deny: str | Iterable[str] | None) -> None:
        self._allow = None if allow is None else Patterns(allow, "allow")
        self._deny = None if deny is None else Patterns(deny, "deny")

    def verdict(self, names: Sequence[str]) -> Verdict:
        """Return what is to be seen of a path, given as names from the root."""
        if self._deny is not None and self._deny.match(names) is Verdict.SHOWN:
            return Verdict.HIDDEN
        return Verdict.SHOWN if self._allow is None else self._allow.match(names)
