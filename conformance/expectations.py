"""Which tests a host is not expected to pass, in the official runner's TOML form.

::

    version = 1
    [[suite]]
    name = "WASI C tests [wasm32-wasip1]"
    [[suite.test]]
    name = "stat-dev-ino"
    action = "skip"              # or: expected = "fail"
    reason = "has no inodes"     # ours; the official runner reads over it

A test that is expected to fail and passes is reported like a failure: the file is stale.
"""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from conformance.suite import Case

_ACTIONS: Final = (None, "skip")
_EXPECTED: Final = (None, "pass", "fail")


class Expectation(NamedTuple):
    """What is expected of one test, and why; by default, that it passes.

    ``stated``: a file says so.
    """

    skip: bool = False
    fail: bool = False
    reason: str = ""
    stated: bool = False


class ExpectationError(ValueError):
    """An expectation file that cannot be read; the message names it."""


class Expectations:
    """The expectations of several files; a later file wins over an earlier one.

    Args:
        paths: the files.

    Raises:
        ExpectationError: a file has another form.
        OSError: it cannot be read.
    """

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        self._tests: dict[tuple[str, str], Expectation] = {}
        for path in paths:
            try:
                self._read(tomllib.loads(path.read_text(encoding="utf-8")))
            except (ValueError, TypeError) as error:
                raise ExpectationError(f"{path}: {error}") from None

    def of(self, case: Case) -> Expectation:
        """Return what is expected of a test."""
        return self._tests.get((case.suite, case.name), Expectation())

    def _read(self, data: dict[str, Any]) -> None:
        if data.get("version", 1) != 1:
            raise ValueError(f"version {data['version']!r} of the form is not known")
        for suite in _tables(data, "suite"):
            for test in _tables(suite, "test"):
                self._tests[_name(suite), _name(test)] = _expectation(test)


def _expectation(test: dict[str, Any]) -> Expectation:
    action, expected = test.get("action"), test.get("expected")
    if action not in _ACTIONS or expected not in _EXPECTED or (action or expected) is None:
        raise ValueError(
            f"test {_name(test)!r} needs action = 'skip', or expected = 'fail' or 'pass'"
        )
    reason = str(test.get("reason", ""))
    return Expectation(action == "skip", expected == "fail", reason, stated=True)


def _tables(data: dict[str, Any], key: str) -> list[dict[str, Any]]:
    tables = data.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise TypeError(f"{key!r} is a list of tables")
    return tables


def _name(table: dict[str, Any]) -> str:
    name = table.get("name")
    if not isinstance(name, str):
        raise TypeError(f"a name is a text, not {name!r}")
    return name
