"""What becomes of a matrix: the official runner's JSON, JUnit's XML, and one page of HTML.

Each function returns the text of the file.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from conformance.hosts import Host
from conformance.runner import Matrix, Outcome, Result


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
