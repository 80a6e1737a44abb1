"""The calls about the process itself: arguments, environment, clocks, exit, random bytes."""

from __future__ import annotations

from wasi_host.errors import NOTSUP, ProcExit
from wasi_host.preview1.state import State

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NoReturn


class ProcessCalls(State):
    """Calls that need no descriptor."""

    __slots__ = ()

    def args_get(self) -> list[bytes]:
        """Return the arguments without their terminating NULs."""
        return self.args

    def args_sizes_get(self) -> tuple[int, int]:
        """Return how many arguments there are, and their bytes with a NUL each."""
        args = self.args
        return len(args), sum(map(len, args)) + len(args)

    def environ_get(self) -> list[bytes]:
        """Return the environment as ``NAME=value`` without terminating NULs."""
        return self.environ

    def environ_sizes_get(self) -> tuple[int, int]:
        """Return how many variables there are, and their bytes with a NUL each."""
        environ = self.environ
        return len(environ), sum(map(len, environ)) + len(environ)

    def clock_res_get(self, id: int) -> int:
        """Return a clock's resolution in nanoseconds, at least 1. INVAL: no such clock."""
        return self.clocks.resolution(id)

    def clock_time_get(self, id: int, precision: int) -> int:
        """Return a clock's time in nanoseconds.

        Args:
            id: which clock.
            precision: the error the guest would accept; ignored, the answer is exact.

        Raises:
            INVAL: no such clock.
        """
        return self.clocks.time(id)

    def proc_exit(self, rval: int) -> NoReturn:
        """End the program with this exit code, 0 to 2^32 - 1."""
        raise ProcExit(rval)

    def proc_raise(self, sig: int) -> None:
        """Raise NOTSUP: a guest has no signals, and the host's process is never signalled."""
        raise NOTSUP

    def sched_yield(self) -> None:
        """Let others run: here, see whether the run was asked to stop."""
        self.scheduler.check()

    def random_get(self, buf_len: int) -> bytes:
        """Return so many random bytes."""
        return self.randomness.read(buf_len)
