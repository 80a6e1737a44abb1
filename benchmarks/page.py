"""All parts as one page of HTML: tables, targets, and a plot for each table; nothing outside."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from benchmarks.figures import Figure, Part, Table, grid, number, target_grid

_COLOURS = ("#2f6db3", "#7fb2e5", "#3a9a68", "#9fd3b6", "#c9a227", "#c0504d", "#8064a2", "#7f7f7f")
_LABEL, _BARS, _BAR, _GAP = 190, 560, 11, 8
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem;
       color: #1b1b1b; background: #fff }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: right }
th:first-child, td:first-child { text-align: left }
.scroll { overflow-x: auto }
.met { color: #1a7f37 } .MISSED { color: #b42318; font-weight: 600 }
.note { color: #555 }
svg text { font: 11px system-ui, sans-serif; fill: currentColor }
@media (prefers-color-scheme: dark) {
  body { color: #e6e6e6; background: #16181c } th, td { border-color: #3a3d44 }
  .note { color: #aaa } .met { color: #56d364 } .MISSED { color: #ff7b72 } }
"""


def to_html(parts: Sequence[Part], facts: Mapping[str, str]) -> str:
    """Return the page."""
    return "\n".join(_page(parts, facts))


def _page(parts: Sequence[Part], facts: Mapping[str, str]) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>wasi_host benchmarks</title><style>{_STYLE}</style></head><body>"
    yield "<h1>wasi_host benchmarks</h1>"
    yield "<p>Measured side by side in one run. A figure is the least of many samples, with the "
    yield "median in brackets; <i>cpu</i> is the least processor time. Bars show the least, on a "
    yield "logarithmic scale, and a line to the median.</p>"
    yield _html_table([["machine", ""], *([name, fact] for name, fact in facts.items())])
    yield "<ul>"
    for part in parts:
        yield f'<li><a href="#{escape(part.name)}">{escape(part.title)}</a></li>'
    yield "</ul>"
    for part in parts:
        yield f'<h2 id="{escape(part.name)}">{escape(part.title)}</h2>'
        for note in part.notes:
            yield f'<p class="note">{escape(note)}</p>'
        if part.targets:
            yield _html_table(target_grid(part.targets))
        for table in part.tables:
            yield f"<h3>{escape(table.title)}</h3>"
            yield plot(table)
            yield _html_table(grid(table))
    yield "</body></html>\n"


def _html_table(lines: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in lines[0])
    body = "".join(f"<tr>{''.join(map(_cell, line))}</tr>" for line in lines[1:])
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def _cell(text: str) -> str:
    mark = f' class="{text}"' if text in ("met", "MISSED") else ""
    return f"<td{mark}>{escape(text)}</td>"


def plot(table: Table) -> str:
    """Return a table as horizontal bars in groups, one group a row."""
    return "\n".join(_plot(table))


def _plot(table: Table) -> Iterator[str]:
    columns = table.columns
    colours = {name: _COLOURS[n % len(_COLOURS)] for n, name in enumerate(columns)}
    scale = _Scale(f for row in table.rows.values() for f in row.values())
    bars = sum(len(row) for row in table.rows.values())
    legend = 18 * len(columns)
    height = legend + bars * _BAR + len(table.rows) * _GAP + 24
    width = _LABEL + _BARS + 90
    yield f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img">'
    yield f"<title>{escape(table.title)}, {escape(table.unit)}</title>"
    for place, (name, colour) in enumerate(colours.items()):
        yield f'<rect x="{_LABEL}" y="{place * 18 + 3}" width="10" height="10" fill="{colour}"/>'
        yield f'<text x="{_LABEL + 16}" y="{place * 18 + 12}">{escape(name)}</text>'
    y = legend + 6
    for power in scale.powers():
        x = _LABEL + scale.place(power)
        yield f'<path d="M{x:.1f} {y}V{height - 18}" stroke="#8885" fill="none"/>'
        label = f"{number(power)} {escape(table.unit)}"
        yield f'<text x="{x:.1f}" y="{height - 5}" text-anchor="middle">{label}</text>'
    for row, figures in table.rows.items():
        middle = y + len(figures) * _BAR / 2 + 4
        yield f'<text x="{_LABEL - 8}" y="{middle:.1f}" text-anchor="end">{escape(row)}</text>'
        for name, figure in figures.items():
            end, median = scale.place(figure.least), scale.place(figure.median)
            line = y + (_BAR - 2) / 2
            yield (
                f'<rect x="{_LABEL}" y="{y}" width="{end:.1f}" height="{_BAR - 2}" '
                f'fill="{colours[name]}"/>'
                f'<path d="M{_LABEL + end:.1f} {line}H{_LABEL + median:.1f}" '
                f'stroke="{colours[name]}"/>'
                f'<text x="{_LABEL + median + 5:.1f}" y="{y + _BAR - 2}">'
                f"{number(figure.least)}</text>"
            )
            y += _BAR
        y += _GAP
    yield "</svg>"


class _Scale:
    """Where a value lies between the least and the most of all, by its logarithm."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        values = [value for f in figures for value in (f.least, f.median) if value > 0] or [1.0]
        self._low = math.floor(math.log10(min(values)))
        self._high = math.log10(max(values) * 1.1)

    def place(self, value: float) -> float:
        """Return the distance from the left edge of the bars."""
        if value <= 0:
            return 0.0
        share = (math.log10(value) - self._low) / max(self._high - self._low, 1e-9)
        return max(share, 0.0) * _BARS

    def powers(self) -> list[float]:
        """Return the powers of ten in between."""
        return [10.0**power for power in range(self._low, math.floor(self._high) + 1)]
