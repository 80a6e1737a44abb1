"""What becomes of a matrix: the official runner's JSON, JUnit's XML, and one page of HTML.

Each function returns the text of the file.
"""

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from conformance.hosts import Host
from conformance.runner import Matrix, Outcome, Result

#: Bytes of each stream that reports show.
LARGEST_SHOWN: Final = 8000
#: System calls shown of a failed test.
LAST_CALLS: Final = 100
#: What a cell of the page shows.
SYMBOLS: Final = {
    Outcome.PASS: "\N{CHECK MARK}",
    Outcome.FAIL: "\N{BALLOT X}",
    Outcome.SKIP: "\N{EN DASH}",
    Outcome.XFAIL: "\N{ALMOST EQUAL TO}",
    Outcome.XPASS: "!",
}
_BAR_WIDTH: Final = 160
_BAR_PARTS: Final = {
    "pass": (Outcome.PASS,),
    "fail": (Outcome.FAIL, Outcome.XPASS),
    "xfail": (Outcome.XFAIL,),
    "skip": (Outcome.SKIP,),
}
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_json(matrix: Matrix) -> str:
    """Return the report in the shape of the official runner's: an entry per suite and host."""
    results = [
        _suite(host, name, list(group))
        for host in matrix.hosts
        for name, group in groupby(_of(matrix, host), lambda result: result.case.suite)
    ]
    execution = {
        "start_timestamp": _iso(matrix.started),
        "finish_timestamp": _iso(matrix.finished),
    }
    return json.dumps({"execution": execution, "results": results}, indent=1) + "\n"


def _suite(host: Host, name: str, results: list[Result]) -> dict[str, Any]:
    def count(*outcomes: Outcome) -> int:
        return sum(result.outcome in outcomes for result in results)

    return {
        "name": name,
        "runtime": {"name": host.name, "version": host.version},
        "duration_s": sum(result.duration for result in results),
        "failed": count(Outcome.FAIL, Outcome.XPASS),
        "skipped": count(Outcome.SKIP),
        "passed": count(Outcome.PASS, Outcome.XFAIL),
        "xfailed": count(Outcome.XFAIL),
        "xpassed": count(Outcome.XPASS),
        "tests": [
            {
                "name": result.case.name,
                "executed": result.outcome is not Outcome.SKIP,
                "outcome": result.outcome.value,
                "duration_s": result.duration,
                "failures": [failure.message for failure in result.failures],
            }
            for result in results
        ],
    }


def _of(matrix: Matrix, host: Host) -> Iterable[Result]:
    return (result for result in matrix.results if result.host == host.name)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def to_junit(matrix: Matrix) -> str:
    """Return JUnit's XML: a suite per suite and host, a failure with the test's output."""
    root = ElementTree.Element("testsuites", name="wasi-host test")
    for host in matrix.hosts:
        for name, group in groupby(_of(matrix, host), lambda result: result.case.suite):
            results = list(group)
            suite = ElementTree.SubElement(
                root,
                "testsuite",
                name=_xml_text(f"{host.name}: {name}"),
                tests=str(len(results)),
                failures=str(sum(result.outcome.is_red for result in results)),
                skipped=str(sum(result.outcome is Outcome.SKIP for result in results)),
                errors="0",
                time=f"{sum(result.duration for result in results):.3f}",
                timestamp=matrix.started.isoformat(timespec="seconds"),
            )
            for result in results:
                _add_case(suite, result)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_case(suite: ElementTree.Element, result: Result) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_xml_text(f"{result.host}.{result.case.label.rpartition('/')[0]}"),
        name=_xml_text(result.case.name),
        time=f"{result.duration:.3f}",
    )
    if result.outcome is Outcome.SKIP:
        ElementTree.SubElement(case, "skipped", message=_xml_text(result.reason))
    elif result.outcome.is_red:
        message = _xml_text(headline(result))
        failure = ElementTree.SubElement(case, "failure", message=message)
        failure.text = _xml_text(details(result))


def headline(result: Result) -> str:
    """Return one line that says why a cell is not simply green; empty: it is."""
    if result.outcome is Outcome.XPASS:
        return f"passed, but a failure was expected: {result.reason}"
    if result.outcome in (Outcome.SKIP, Outcome.XFAIL):
        return result.reason
    return result.failures[0].message.partition("\n")[0] if result.failures else ""


def details(result: Result) -> str:
    """Return all that is known of a cell: failures, exit code, what was run, its output."""
    parts = [f"[{failure.kind}] {failure.message}" for failure in result.failures]
    if result.argv:
        parts.append(f"run: {shlex.join(result.argv)}")
    if result.exit_code is not None:
        parts.append(f"exit code: {result.exit_code}")
    for name, output in (("stdout", result.stdout), ("stderr", result.stderr)):
        if output:
            text = output[:LARGEST_SHOWN].decode("utf-8", "backslashreplace")
            cut = " (its beginning)" if len(output) > LARGEST_SHOWN else ""
            parts.append(f"{name}{cut}:\n{text}")
    if result.trace:
        lines = result.trace.splitlines()
        cut = f" (the last {LAST_CALLS} of {len(lines)})" if len(lines) > LAST_CALLS else ""
        shown = "\n".join(lines[-LAST_CALLS:])
        parts.append(f"system calls, run once more{cut}:\n{shown}")
    return "\n".join(parts)


def to_html(matrix: Matrix) -> str:
    """Return one page, tests x hosts, with the output of each failure in it; nothing outside.

    Raises:
        ImportError: jinja2 is not installed.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    cells = {(result.case.label, result.host): result for result in matrix.results}
    page: str = environment.get_template("report.html.jinja").render(
        matrix=matrix,
        suites=[(name, list(cases)) for name, cases in groupby(matrix.cases, lambda c: c.suite)],
        cells=cells,
        counts={
            host.name: {outcome.value: matrix.count(host, outcome) for outcome in Outcome}
            for host in matrix.hosts
        },
        bars={host.name: list(_bar(matrix, host)) for host in matrix.hosts},
        bar_width=_BAR_WIDTH,
        symbols=SYMBOLS,
        headline=headline,
        details=details,
        seconds=(matrix.finished - matrix.started).total_seconds(),
    )
    return page


def _bar(matrix: Matrix, host: Host) -> Iterator[tuple[str, float, float]]:
    """Yield name, left edge and width of the parts of a host's bar."""
    x, unit = 0.0, _BAR_WIDTH / max(len(matrix.cases), 1)
    for name, outcomes in _BAR_PARTS.items():
        width = matrix.count(host, *outcomes) * unit
        yield name, x, width
        x += width


def _xml_text(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
