"""What a user can do about a refusal, in one line each.

A guest that may not do something mostly says "Permission denied" or "No such file" and no more.
From the call that was refused it can be told which directory or flag it would have taken.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from wasi_host.layers.trace_format import quoted
from wasi_spec.errno import Errno
from wasi_spec.functions import Function
from wasi_spec.numbers import Oflags, Rights
from wasi_spec.types import FD, PATH
from wasi_spec.values import host_params

#: So many different hints are kept.
_MOST: Final = 16
_CHANGES: Final = Oflags.CREAT | Oflags.TRUNC
_READING: Final = frozenset(("path_filestat_get", "path_open", "path_readlink"))
REFUSALS: Final = frozenset((Errno.PERM, Errno.NOTCAPABLE, Errno.ROFS))


class Hints:
    """Collects the hints of one run."""

    def __init__(self) -> None:
        self._lines: dict[str, None] = {}
        self._asked_for_a_path = False
        self._exit_code = 0
        self._given: list[str] = []

    def given(self, name: str) -> None:
        """Note a directory the guest was given."""
        self._given.append(name)

    def exited(self, code: int) -> None:
        """Note the exit code."""
        self._exit_code = code

    def asked_for_a_path(self) -> None:
        """Note a call on a path."""
        self._asked_for_a_path = True

    def refused(
        self,
        function: Function,
        arguments: Sequence[object],
        paths: Mapping[str, str],
        errno: Errno,
    ) -> None:
        """Note a call that failed with one of ``REFUSALS``."""
        if len(self._lines) >= _MOST:
            return
        values = dict(zip((p.name for p in host_params(function)), arguments, strict=True))
        if errno == Errno.NOTCAPABLE:
            where = next(iter(paths.values()), "a descriptor")
            self._add(
                f"{function.name} on {where}: a right was withheld or dropped; "
                'rights="grant" (no --strict-rights) withholds none'
            )
            return
        for directory, path in _places(function, values, paths):
            if errno == Errno.PERM and leaves(path):
                self._add(
                    f"{quoted(path)} leads out of {directory}: give the directory it is in too, "
                    "with --dir HOST::GUEST (dirs={GUEST: HOST})"
                )
            elif errno == Errno.ROFS or changes(function, values):
                self._add(
                    f"{quoted(path)} cannot be changed, {directory} was given for reading only: "
                    "give it with --dir (dirs=), not --ro-dir (readonly=True)"
                )
            else:
                self._add(
                    f"a symbolic link on the way of {quoted(path)} leads out of {directory}: "
                    "give the directory it leads to, with --dir HOST::GUEST (dirs={GUEST: HOST})"
                )

    def _add(self, text: str) -> None:
        self._lines[text] = None

    def lines(self) -> list[str]:
        """Return the hints, each once, in the order in which they arose."""
        lines = list(self._lines)
        if self._exit_code and not self._asked_for_a_path:
            given = ", ".join(self._given) or "none"
            lines.append(
                "the program failed without a call on any path: wasi-libc itself answers NOENT "
                f"where no directory covers a path. Directories it was given: {given}"
            )
        return lines


def _places(
    function: Function, values: Mapping[str, object], paths: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return each path of a call with what its directory is."""
    places, directory = [], None
    for param in host_params(function):
        if param.type is FD:
            directory = paths.get(param.name, f"descriptor {values[param.name]}")
        elif param.type is PATH and directory is not None:
            places.append((directory, str(values[param.name])))
    return places


def leaves(path: str) -> bool:
    """Tell whether a path leads out of its directory, links aside."""
    depth = 0
    for name in path.split("/"):
        depth += -1 if name == ".." else name not in ("", ".")
        if depth < 0:
            return True
    return path.startswith("/")


def changes(function: Function, values: Mapping[str, object]) -> bool:
    """Tell whether a call on a path is to change something."""
    if function.name != "path_open":
        return function.name not in _READING
    oflags, rights = values["oflags"], values["fs_rights_base"]
    assert isinstance(oflags, int)
    assert isinstance(rights, int)
    return bool(oflags & _CHANGES or rights & Rights.FD_WRITE)
