"""The options of ``wasi-host run`` by which a program changes a directory only if it is wanted.

``--overlay`` gives a directory that stays as it is, ``--diff`` shows what the program would have
changed, ``--apply`` changes it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from wasi_host.results import CompletedRun

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--overlay",
        multiple=True,
        metavar="HOST[::GUEST]",
        help="Give the guest a host directory whose changes are kept apart.",
    ),
    click.option(
        "--diff", is_flag=True, help="Show on standard error what the program changed, as a diff."
    ),
    click.option(
        "--apply",
        "apply_changes",
        is_flag=True,
        help="Write what it changed in overlays to the host, unless it was ended by a trap.",
    ),
)


def options(command: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check(given: list[tuple[str, str]], apply_changes: bool) -> None:
    """Raise a usage error for ``--apply`` without ``--overlay``."""
    if apply_changes and all(option != "overlay" for option, _ in given):
        raise click.UsageError("--apply writes the changes of an --overlay: give one")


def settle(result: CompletedRun, diff: bool, apply_changes: bool) -> str | None:
    """Show and apply the changes of a run; return what is to be said if that failed."""
    if not (diff or apply_changes):
        return None
    changes = result.changes
    if diff:
        click.echo(str(changes), err=True, nl=False)
    if not apply_changes or not len(changes):
        return None
    if result.trap is not None or result.stopped is not None:
        return "the program did not come to its end: nothing was applied"
    from wasi_host.changes import Conflict

    try:
        changes.apply()
    except Conflict as error:
        return f"nothing was applied: {error}"
    except OSError as error:
        notes = "; ".join(getattr(error, "__notes__", ()))
        return f"{error} ({notes})" if notes else str(error)
    return None
