"""Ours over several filesystems at once, for the stream that takes in everything."""

from pathlib import Path

from tests.differential.machine import Machine, ours
from wasi_host import MemoryFS, Overlay
from wasi_host.fs import openat2


def between_filesystems(scratch: Path) -> list[Machine]:
    """Return ours over a host directory, memory and two overlays, empty in the beginning.

    The calls of the first come out of WebAssembly, those of the others are made directly.
    """
    for name in ("host", "lower"):
        (scratch / name).mkdir()
    sources = {
        "host": scratch / "host",
        "memory": MemoryFS(),
        "overlay of a host directory": Overlay(scratch / "lower"),
        "overlay of memory": Overlay(MemoryFS()),
    }
    return [
        ours(name, source, scratch / f"streams {name}", "engine" if name == "host" else "values")
        for name, source in sources.items()
    ]


def by_both_resolvers(scratch: Path) -> list[Machine]:
    """Return ours over two host directories, the second without ``openat2``."""
    machines = []
    for name, walks in (("openat2", False), ("walk", True)):
        (scratch / name).mkdir()
        machine = ours(name, scratch / name, scratch / f"streams {name}", "values")
        if walks:
            machine.engine = _Walking(machine.engine)
        machines.append(machine)
    return machines


class _Walking:
    """An engine whose calls meet a kernel without ``openat2``."""

    def __init__(self, engine: object) -> None:
        self.engine = engine
        self.memory = engine.memory
        self.close = engine.close

    def call(self, name: str, *numbers: int) -> int:
        before = openat2.force_off(True)
        try:
            return self.engine.call(name, *numbers)
        finally:
            openat2.force_off(before)
