"""A line about a long compilation, on a terminal only and gone afterwards."""

from __future__ import annotations

import sys
import threading

TYPE_CHECKING = False

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Final

#: Seconds after which a compilation is worth a word.
PATIENCE: Final = 1.0
_CLEAR: Final = "\r\x1b[K"


class Compiling:
    """Context manager: after a second, say on standard error that a module is being compiled.

    Args:
        name: the module's.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._said = False
        self._timer: threading.Timer | None = None

    def __enter__(self) -> None:
        if sys.stderr is not None and sys.stderr.isatty():
            self._timer = threading.Timer(PATIENCE, self._say)
            self._timer.daemon = True
            self._timer.start()

    def _say(self) -> None:
        self._said = True
        sys.stderr.write(f"wasi-host: compiling {self._name} (kept for the next run) ...")
        sys.stderr.flush()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer.join()
        if self._said:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
