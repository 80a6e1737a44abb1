"""Where other hosts differ from what our programs and the official ones expect, and who is right.

``peers.toml`` has one entry for each difference::

    [[difference]]
    peer = "node-wasi"                       # the adapter's name
    test = "programs/fd_read_skips_empty_buffers"
    why = "stops at the first empty buffer"
    source = "POSIX: readv"

Such a test is expected to fail on that peer; a difference that is not explained there is red, and
so is an explained one that is no more. With ``hangs = true`` it is not run at all.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from conformance.expectations import Expectation
from conformance.suite import Case

_FILE: Final = Path(__file__).parent / "peers.toml"


@cache
def _differences() -> dict[tuple[str, str], Expectation]:
    entries = tomllib.loads(_FILE.read_text(encoding="utf-8")).get("difference", [])
    return {
        (entry["peer"], entry["test"]): Expectation(
            skip=entry.get("hangs", False),
            fail=True,
            reason=f"{entry['why']} [{entry['source']}]",
        )
        for entry in entries
    }


def expected_of(peer: str, case: Case) -> Expectation:
    """Return what is expected of a test on a peer: to pass, unless a difference is explained."""
    return _differences().get((peer, case.label), Expectation())


def explained() -> list[tuple[str, str]]:
    """Return peer and test of all differences."""
    return sorted(_differences())
