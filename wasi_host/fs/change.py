"""One path that is different from what it was."""

from __future__ import annotations

from wasi_host.fs.change_diff import unified

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from wasi_host.fs.change_version import Version

    Kind: TypeAlias = Literal["created", "changed", "deleted", "renamed"]
else:
    Kind = str

__all__ = ["Change", "Kind"]


class Change:
    """One path that is different.

    Attributes:
        kind: ``"created"``, ``"changed"``, ``"deleted"`` or ``"renamed"``. A renamed file may
            have other bytes too; a renamed directory has everything that was in it.
        path: where it is now, or was before it was deleted.
        before: what was; None for something created. ``before.path`` is the old path.
        after: what is; None for something deleted.
    """

    __slots__ = ("after", "before", "kind", "path")

    def __init__(
        self, kind: Kind, path: str, before: Version | None, after: Version | None
    ) -> None:
        self.kind = kind
        self.path = path
        self.before = before
        self.after = after

    def within(self, prefix: str) -> Change:
        """Return the same change at ``prefix`` and its path."""
        before, after = self.before, self.after
        return Change(
            self.kind,
            f"{prefix}{self.path}",
            None if before is None else before.within(prefix),
            None if after is None else after.within(prefix),
        )

    def __str__(self) -> str:
        """Return it as a unified diff."""
        return unified(self.kind, self.path, self.before, self.after)

    def __repr__(self) -> str:
        old = f" from {self.before.path!r}" if self.kind == "renamed" and self.before else ""
        return f"<{self.kind} {self.path!r}{old}>"
