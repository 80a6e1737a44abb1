"""The two ways a guest's calls are made: by the engine, and by no engine."""

from collections.abc import Mapping, Sequence
from functools import cache
from mmap import mmap
from subprocess import DEVNULL
from typing import Any

from tests.attacks.guest import MAXIMUM, PAGE, PAGES, module
from wasi_host import Limits, Module, Sandbox
from wasi_host.binding.context import ValuesContext
from wasi_host.binding.shim import values_functions
from wasi_host.fs.budget import Budget
from wasi_host.preview1 import Preview1, encode_args, encode_environ
from wasi_host.sockets import checked_sockets
from wasi_host.sources import Preopens
from wasi_host.streams import Spec, Streams
from wasi_host.world.clocks import Clocks
from wasi_host.world.scheduler import Scheduler
from wasi_spec.rights import ALL_RIGHTS


@cache
def compiled(pages: int, maximum: int) -> Module:
    """Return the guest's module, compiled once."""
    return Module(module(pages, maximum))


#: What a test may say about a guest's world; stdin is what it reads, stdout where it writes.
Setting = Mapping[str, Any]

#: All that 32 bits can address.
_LIMITS = Limits(memory=2**32)


class EngineBackend:
    """The real thing: the module on the engine, through the public API."""

    def __init__(
        self,
        dirs: Setting,
        *,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        rights: Any = "grant",
        stdin: Any = b"",
        stdout: Any = None,
        stderr: Any = None,
        tty: bool | None = None,
        sockets: Sequence[Any] = (),
        pages: int = PAGES,
        maximum: int = MAXIMUM,
        limits: Limits = _LIMITS,
    ) -> None:
        sandbox = Sandbox(
            compiled(pages, maximum),
            dirs=dirs,
            env=env,
            rights=rights,
            sockets=sockets,
            limits=limits,
        )
        self.instance = sandbox.instantiate(
            args,
            stdin=stdin,
            stdout=DEVNULL if stdout is None else stdout,
            stderr=DEVNULL if stderr is None else stderr,
            argv0="guest.wasm",
            tty=tty,
        )

    def call(self, name: str, *numbers: int) -> int:
        return self.instance.call(name, *numbers)  # type: ignore[no-any-return]

    def memory(self) -> memoryview:
        return self.instance.memory  # type: ignore[no-any-return]

    def grow(self, pages: int) -> int:
        return self.instance.call("grow", pages)  # type: ignore[no-any-return]

    def close(self) -> None:
        self.instance.close()


class ValuesBackend:
    """The shims for plain integers over a bytearray, which refuses to grow while it is viewed."""

    def __init__(
        self,
        dirs: Setting,
        *,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        rights: Any = "grant",
        stdin: Any = b"",
        stdout: Any = None,
        stderr: Any = None,
        tty: bool | None = None,
        sockets: Sequence[Any] = (),
        pages: int = PAGES,
        maximum: int = MAXIMUM,
        limits: Limits = _LIMITS,
    ) -> None:
        # Four GiB of a bytearray would be touched, and so be there, before the first call.
        self.data: Any = bytearray(pages * PAGE) if pages < maximum else mmap(-1, pages * PAGE)
        self.maximum = maximum
        clocks = Clocks()
        scheduler = Scheduler(clocks)
        granted = ALL_RIGHTS if isinstance(rights, str) else int(rights)
        spec = Spec(
            stdin,
            DEVNULL if stdout is None else stdout,
            DEVNULL if stderr is None else stderr,
            None,
            None,
            tty,
        )
        self.streams = Streams(spec, scheduler)
        self.preview1 = Preview1.for_run(
            self.streams.descriptors(granted),
            Preopens(dirs).open(
                budget=Budget(limits.fs_bytes, limits.inodes), streams=self.streams.nodes
            ),
            args=encode_args(["guest.wasm", *args]),
            environ=encode_environ(env or {}),
            clocks=clocks,
            scheduler=scheduler,
            rights=granted,
            strict=rights == "strict",
            sockets=checked_sockets(sockets),
        )
        context = ValuesContext(lambda: memoryview(self.data))
        context.host = self.preview1
        self.functions = values_functions(context)

    def call(self, name: str, *numbers: int) -> int:
        return self.functions[name](*numbers)

    def memory(self) -> memoryview:
        return memoryview(self.data)

    def grow(self, pages: int) -> int:
        before = len(self.data) // PAGE
        if before + pages > self.maximum:
            return -1
        self.data.extend(bytes(pages * PAGE))
        return before

    def close(self) -> None:
        self.preview1.close()
        self.streams.close()
        self.preview1.scheduler.close()


BACKENDS = {"engine": EngineBackend, "values": ValuesBackend}
