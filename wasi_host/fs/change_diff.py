"""Changes as a unified diff, as ``git`` writes it and ``patch -p1`` reads it."""

from __future__ import annotations

import re
from itertools import takewhile

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from wasi_host.fs.change_version import Version

__all__ = ["unified"]

#: Longer files are told in one line, and of more lines the difference is not sought line by line.
LONGEST: Final = 8 << 20
MOST_LINES: Final = 20_000

_ODD: Final = re.compile(r'[\x00-\x1f"\\\x7f\ud800-\udfff]')
_MODES: Final = {"file": "100644", "link": "120000"}
_CONTEXT: Final = 3
_END: Final = "\n"
_NO_END: Final = "\n\\ No newline at end of file\n"


def unified(kind: str, path: str, before: Version | None, after: Version | None) -> str:
    """Return one change as a diff; of binary files, directories and devices in one line."""
    shown = after or before
    if shown is None:
        return ""
    if shown.type in _MODES:
        return "".join(_of_file(path, before, after))
    if kind == "renamed" and before is not None:
        return f"{shown.type} renamed: {_quoted('', before.path)} -> {_quoted('', path)}\n"
    return f"{shown.type} {kind}: {_quoted('', path)}\n"


def _of_file(path: str, before: Version | None, after: Version | None) -> Iterator[str]:
    old = _quoted("a/", before.path if before is not None else path)
    new = _quoted("b/", path)
    yield f"diff --git {old} {new}\n"
    if before is None and after is not None:
        yield f"new file mode {_MODES[after.type]}\n"
        old = "/dev/null"
    elif after is None and before is not None:
        yield f"deleted file mode {_MODES.get(before.type, '100644')}\n"
        new = "/dev/null"
    elif before is not None and before.path != path:
        # Renamed itself, or in a directory that was.
        yield f"rename from {_quoted('', before.path)}\nrename to {_quoted('', path)}\n"
    if before is not None and after is not None and before.same_as(after):
        return
    texts = _text(before), _text(after)
    if texts[0] is None or texts[1] is None:
        yield f"Binary files {old} and {new} differ\n"
    elif texts != ("", ""):
        yield f"--- {old}\n+++ {new}\n"
        yield from _hunks(_lines(texts[0]), _lines(texts[1]))


def _text(version: Version | None) -> str | None:
    """Return the text of a file, None for one that is none or too long to be shown."""
    if version is None:
        return ""
    if version.size > LONGEST:
        return None
    data = version.bytes
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _lines(text: str) -> list[str]:
    """Return the lines with their ends; only a newline ends one."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def _hunks(old: list[str], new: list[str]) -> Iterator[str]:
    # What is equal at both ends is set aside, so that a small change in a long file costs little.
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    head = max(0, head - _CONTEXT)
    rest = zip(reversed(old[head:]), reversed(new[head:]), strict=False)
    tail = max(0, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], rest)) - _CONTEXT)
    first, second = old[head : len(old) - tail], new[head : len(new) - tail]
    if max(len(first), len(second)) > MOST_LINES:
        groups = [[("replace", 0, len(first), 0, len(second))]]
    else:
        from difflib import SequenceMatcher

        groups = list(SequenceMatcher(None, first, second).get_grouped_opcodes(_CONTEXT))
    for group in groups:
        one, other = group[0], group[-1]
        yield f"@@ -{_range(one[1], other[2], head)} +{_range(one[3], other[4], head)} @@\n"
        for tag, low, high, new_low, new_high in group:
            if tag == "equal":
                yield from (_line(" ", line) for line in first[low:high])
            else:
                yield from (_line("-", line) for line in first[low:high])
                yield from (_line("+", line) for line in second[new_low:new_high])


def _line(sign: str, line: str) -> str:
    return f"{sign}{line}{'' if line.endswith(_END) else _NO_END}"


def _range(low: int, high: int, skipped: int) -> str:
    begin, count = low + skipped, high - low
    if count == 1:
        return f"{begin + 1}"
    return f"{begin + 1 if count else begin},{count}"


def _quoted(prefix: str, path: str) -> str:
    """Return a path, quoted as git does where it holds anything odd."""
    if not _ODD.search(path):
        return f"{prefix}{path}"
    octal = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}"
        for byte in path.encode("utf-8", "surrogateescape")
    )
    return f'"{prefix}{octal}"'
