"""The changes of a run: those of all its directories, at their guest paths."""

from collections.abc import Callable, Iterable, Sequence

from wasi_host.fs.changes import Change, Changes, Conflict, Version

__all__ = ["Change", "Changes", "Conflict", "Version", "changes_of_run"]


class _Directories:
    """The directories of a run, to which their changes are applied one after the other."""

    def __init__(self, parts: Sequence[Changes]) -> None:
        self._parts = parts

    def apply_changes(self, changes: Changes) -> None:
        """Apply those of overlays over host directories; ValueError where there is none."""
        able = [part for part in self._parts if part.can_apply]
        if not able:
            raise ValueError("no directory of this run is an overlay over a host directory")
        for part in able:
            part.apply()

    def discard_changes(self) -> None:
        """Discard those of every directory."""
        for part in self._parts:
            part.discard()

    @property
    def can_apply_changes(self) -> bool:
        """Whether there is an overlay over a host directory."""
        return any(part.can_apply for part in self._parts)


def changes_of_run(watched: Iterable[tuple[bytes, Callable[[], object]]]) -> Changes:
    """Return the changes of a run's directories, given by guest path."""
    found: list[Change] = []
    parts: list[Changes] = []
    for name, give in watched:
        changes = give()
        assert isinstance(changes, Changes)
        parts.append(changes)
        names = [one for one in name.decode().split("/") if one not in ("", ".")]
        prefix = "".join(f"{one}/" for one in names)
        found += [change.within(prefix) for change in changes]
    return Changes(found, _Directories(parts))
