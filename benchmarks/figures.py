"""What a part of the benchmarks found: tables of figures, and the targets beside them.

A figure is the least time of many samples, with the median beside it: noise only ever adds, so the
least is what the thing costs, and the distance of the median tells how quiet the machine was. Where
it says `cpu`, that is the least processor time, which other people's programs disturb less.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One thing measured, in the unit of its table."""

    least: float
    median: float
    cpu: float | None = None

    @classmethod
    def of(cls, samples: Sequence[float], cpu: Sequence[float] | None = None) -> "Figure":
        return cls(min(samples), statistics.median(samples), min(cpu) if cpu else None)


@dataclass(frozen=True)
class Table:
    """Figures by row (what was done) and column (who did it), all measured side by side.

    Attributes:
        ratios: heading -> the columns divided: how many times faster the second one is.
    """

    title: str
    unit: str
    rows: Mapping[str, Mapping[str, Figure]]
    ratios: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(column for row in self.rows.values() for column in row))

    def ratio(self, row: str, heading: str) -> float | None:
        """Return a ratio of least times; None where one of the two is not there."""
        slow, fast = (self.rows[row].get(column) for column in self.ratios[heading])
        if slow is None or fast is None or not fast.least:
            return None
        return slow.least / fast.least

    def mean_ratio(self, heading: str, rows: Iterable[str]) -> float | None:
        """Return the geometric mean of a ratio over rows; None where one is missing."""
        found = [self.ratio(row, heading) if row in self.rows else None for row in rows]
        return geometric_mean([ratio for ratio in found if ratio]) if all(found) else None


@dataclass(frozen=True)
class Target:
    """What was to be reached, and what was found; `found` is None where nothing could be said."""

    what: str
    wanted: float
    at_least: bool
    found: float | None
    unit: str = ""

    @property
    def verdict(self) -> str:
        if self.found is None:
            return "not measured"
        met = self.found >= self.wanted if self.at_least else self.found <= self.wanted
        return "met" if met else "MISSED"

    @property
    def wording(self) -> str:
        return f"at {'least' if self.at_least else 'most'} {self.wanted:g}{self.unit}"


@dataclass(frozen=True)
class Part:
    """All that one command found; `notes` say what must be known to read it."""

    name: str
    title: str
    tables: Sequence[Table]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        for table, shown in zip(self.tables, data["tables"], strict=True):
            shown["ratios"] = {
                row: {heading: table.ratio(row, heading) for heading in table.ratios}
                for row in table.rows
            }
        for target, shown in zip(self.targets, data["targets"], strict=True):
            shown["verdict"] = target.verdict
        return data


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(statistics.fmean(math.log(value) for value in values))


def number(value: float | None) -> str:
    """Return three digits or more, and no more than matter."""
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2
    return f"{value:,.{digits}f}"


def cell(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    shown = f"{number(figure.least)} ({number(figure.median)})"
    return shown if figure.cpu is None else f"{shown} {number(figure.cpu)}"


def grid(table: Table) -> list[list[str]]:
    """Return the table as texts, its heading first."""
    has_cpu = any(f.cpu is not None for row in table.rows.values() for f in row.values())
    said = "least (median)" + (" cpu" if has_cpu else "")
    lines = [[f"{table.unit}: {said}", *table.columns, *table.ratios]]
    for row, figures in table.rows.items():
        cells = [cell(figures.get(column)) for column in table.columns]
        lines.append([row, *cells, *(number(table.ratio(row, name)) for name in table.ratios)])
    return lines


def target_grid(targets: Iterable[Target]) -> list[list[str]]:
    """Return the targets as texts, a heading first."""
    lines = [["target", "wanted", "found", ""]]
    for target in targets:
        found = "-" if target.found is None else number(target.found) + target.unit
        lines.append([target.what, target.wording, found, target.verdict])
    return lines


def as_text(part: Part) -> str:
    """Return a part as it is printed."""
    blocks = [f"== {part.title} =="]
    for table in part.tables:
        blocks.append(f"{table.title}\n{_aligned(grid(table))}")
    if part.targets:
        blocks.append(_aligned(target_grid(part.targets)))
    blocks += [f"Note: {note}" for note in part.notes]
    return "\n\n".join(blocks) + "\n"


def _aligned(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if place == 0 else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_markdown(part: Part) -> str:
    """Return a part as a section of Markdown."""
    blocks = [f"## {part.title}", f"`python -m benchmarks {part.name}`"]
    for table in part.tables:
        blocks.append(f"{table.title}:")
        blocks.append(_markdown_table(grid(table)))
    if part.targets:
        blocks.append(_markdown_table(target_grid(part.targets)))
    blocks += list(part.notes)
    return "\n\n".join(blocks) + "\n"


def _markdown_table(lines: list[list[str]]) -> str:
    def row(cells: Iterable[str]) -> str:
        return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"

    rule = ["---", *["---:"] * (len(lines[0]) - 1)]
    return "\n".join([row(lines[0]), row(rule), *(row(line) for line in lines[1:])])
