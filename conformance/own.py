"""Our own conformance programs: where they are, and the table of what each one is about.

    python -m conformance.own       # writes conformance/programs/TABLE.md

The first line of each source in ``conformance/programs`` is a row of the table::

    // fd_read, fd_pread: fills every buffer in order. [POSIX: readv]
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

#: The directory of the programs, their sources and descriptions.
PROGRAMS: Final = Path(__file__).resolve().parent / "programs"
TABLE: Final = PROGRAMS / "TABLE.md"
_FIRST_LINE: Final = re.compile(r"(?://|;;) ([a-z0-9_, ]+): (.+[^. ])\. \[(.+)\]")


class Row(NamedTuple):
    """What the first line of a source says."""

    program: str
    functions: tuple[str, ...]
    behaviour: str
    judge: str


def rows() -> Iterator[Row]:
    """Yield a row for each source, by name.

    Raises:
        ValueError: the first line of a source is no row.
    """
    for source in sorted([*PROGRAMS.glob("*.c"), *PROGRAMS.glob("*.wat")]):
        with source.open(encoding="utf-8") as file:
            line = file.readline().rstrip("\n")
        found = _FIRST_LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"{source.name}: its first line is no row of the table: {line}")
        yield Row(source.stem, tuple(found[1].split(", ")), found[2], found[3])


def table() -> str:
    """Return the text of ``TABLE.md``, which the rows alone make."""
    listed = list(rows())
    lines = [
        f"# The {len(listed)} programs",
        "",
        "`python -m conformance.own` writes this from the first lines of their sources.",
        "",
        "| program | functions | behaviour | source |",
        "| --- | --- | --- | --- |",
    ]
    for row in listed:
        functions = ", ".join(f"`{name}`" for name in row.functions)
        lines.append(f"| {row.program} | {functions} | {row.behaviour} | {row.judge} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
