"""``run_async``: ``run`` for asyncio. The guest runs on a thread, the event loop goes on."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from wasi_host.command_line import ModuleSource, Word, split_args
from wasi_host.errors import Stopped
from wasi_host.guest import Guest
from wasi_host.results import PIPE, CompletedRun
from wasi_host.sandbox import Sandbox

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["run_async"]


async def run_async(args: Iterable[ModuleSource | Word], **keywords: Any) -> CompletedRun:
    """Run a WASI command and await its end.

    Cancelling the task stops the guest, whatever it is doing; the task then ends when the guest
    has ended.

    Args:
        args: ``[module, *argv]``, as in ``run``.
        **keywords: as in ``run``, except that standard input is empty and standard output and
            error are captured, unless something else is said. ``stdin`` may also be an
            ``asyncio.StreamReader``, ``stdout`` and ``stderr`` an ``asyncio.StreamWriter``.

    Raises:
        Exception: as ``run``.
        asyncio.CancelledError: the task was cancelled, and the guest has ended.
    """
    loop = asyncio.get_running_loop()
    module, argv, options = split_args(args, keywords, "run_async", {})
    timeout, check = keywords.pop("timeout", None), keywords.pop("check", False)
    invoke = keywords.pop("invoke", None)
    if keywords.get("input") is None and keywords.get("stdin") is None:
        keywords["stdin"] = b""
    if not keywords.get("capture_output"):
        for name in ("stdout", "stderr"):
            if keywords.get(name) is None:
                keywords[name] = PIPE
    bridge = _Bridge(loop)
    for name in ("stdin", "stdout", "stderr"):
        keywords[name] = bridge.connect(keywords.get(name))
    # Reading, compiling and opening take their time too.
    sandbox, guest = await loop.run_in_executor(
        None, lambda: _prepare(module, options, argv, invoke is None, keywords)
    )
    guest.on_stop = bridge.stop
    given = [module, *guest.words]
    ended: asyncio.Future[CompletedRun] = loop.create_future()
    thread = threading.Thread(
        target=_run, args=(guest, given, invoke, timeout, ended), daemon=True,
        name="wasi_host awaited",
    )  # fmt: skip
    thread.start()
    try:
        result = await asyncio.shield(ended)
    except asyncio.CancelledError:
        guest.stop("killed")
        await _until(ended)
        raise
    return sandbox.settled(guest, result, timeout, check)


def _prepare(
    module: ModuleSource,
    options: dict[str, Any],
    argv: list[Word],
    command: bool,
    keywords: dict[str, Any],
) -> tuple[Sandbox, Guest]:
    sandbox = Sandbox(module, **options)
    return sandbox, sandbox.guest(argv, stoppable=True, command=command, **keywords)


async def _until(ended: "asyncio.Future[CompletedRun]") -> None:
    """Wait for the guest's end, however often the task is cancelled meanwhile."""
    while not ended.done():
        try:
            await asyncio.wait([ended])
        except asyncio.CancelledError:
            continue
    ended.exception()  # looked at: a guest that was killed may have had any


def _run(
    guest: Guest,
    given: list[object],
    invoke: str | None,
    timeout: float | None,
    ended: "asyncio.Future[CompletedRun]",
) -> None:
    loop = ended.get_loop()
    try:
        result = guest.run(given, invoke, timeout)
    except BaseException as error:
        _tell(loop, ended.set_exception, error)
    else:
        _tell(loop, ended.set_result, result)


def _tell(loop: asyncio.AbstractEventLoop, call: Callable[[Any], None], outcome: object) -> None:
    try:
        loop.call_soon_threadsafe(call, outcome)
    except RuntimeError:
        return  # the loop was closed: nobody waits any more


class _Bridge:
    """Lets a guest's thread read and write asyncio's streams, which belong to the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._stopped: str | None = None
        self._waiting: Future[Any] | None = None

    def connect(self, source: Any) -> Any:
        """Return what the guest's stream is made of: a function for a stream of asyncio's."""
        if isinstance(source, asyncio.StreamReader):
            reader = source
            return lambda size: self._await(reader.read(size))
        if isinstance(source, asyncio.StreamWriter):
            writer = source
            return lambda data: self._await(_write(writer, data))
        return source

    def _await(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        waiting = self._waiting = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        if self._stopped is not None:
            waiting.cancel()
        try:
            return waiting.result()
        except CancelledError:
            if self._stopped is None:
                raise
            raise Stopped(self._stopped) from None

    def stop(self, reason: str) -> None:
        """End the wait that the guest's thread is in, and every further one."""
        self._stopped = reason
        waiting = self._waiting
        if waiting is not None:
            waiting.cancel()


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
