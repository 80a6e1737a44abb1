"""What tests of the cache of compiled modules have in common."""

import os
from pathlib import Path

import wasi_host
from wasi_host import modules
from wasi_host.runtimes.contract import Mode

GREP = Path(__file__).parents[2] / "examples" / "grep.wasm"


def recorded(monkeypatch, name):
    """Record the first argument of each call that ``modules`` makes of a function."""
    calls = []
    function = getattr(modules, name)

    def recording(source, mode):
        calls.append(source if isinstance(source, str) else mode.epochs)
        return function(source, mode)

    monkeypatch.setattr(modules, name, recording)
    return calls


def old_program(directory):
    """Return a module of this test's own, old enough to be noted by its times."""
    path = directory / "grep.wasm"
    path.write_bytes(GREP.read_bytes())
    os.utime(path, ns=(10**18, 10**18))
    return path


def prepare(program, epochs=False, **options):
    """Compile or load a module, as its first run would."""
    return wasi_host.Module(program, **options).variant(Mode(epochs))


def entry(directory):
    """Return the one entry of a cache."""
    (found,) = directory.glob("*.cwasm")
    return found
