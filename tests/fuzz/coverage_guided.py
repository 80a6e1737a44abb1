"""``python -m tests.fuzz.coverage_guided -runs=100000``: calls made of bytes, led by coverage.

Needs atheris, which is no dependency of the tests (``pip install atheris``). The arguments are
libFuzzer's. An input is a sequence of calls: a function, then a number for each parameter, out
of the edges of ``arguments`` or from the input itself. Instrumented are the codec, the shims'
surroundings, the calls, descriptors and the resolver; an answer that is no errno, or any
exception, is a finding.
"""

import sys

import atheris

with atheris.instrument_imports(include=["wasi_host.binding", "wasi_host.preview1",
                                         "wasi_host.descriptors", "wasi_host.fs"]):  # fmt: skip
    from tests.attacks.backends import ValuesBackend
    from wasi_host.fs.memory import Link, MemoryFS

from tests.attacks.guest import ROWS
from tests.fuzz.arguments import ADDRESSES, SMALL, WIDE, WRAPPING
from wasi_spec import Errno, core_signature

NAMES = [name for name in ROWS if name not in {"proc_exit", "poll_oneoff"}]
EDGES = ADDRESSES + WRAPPING + SMALL + WIDE


def one_input(data: bytes) -> None:
    """Make the calls that the bytes say."""
    given = atheris.FuzzedDataProvider(data)
    tree = {"file": b"inside", "dir": {"inner": b""}, "link": Link("../outside")}
    backend = ValuesBackend({"/": MemoryFS(tree)}, stdin=b"input", pages=2, args=["word"])
    try:
        text = given.ConsumeBytes(64)
        backend.memory()[: len(text)] = text
        for _ in range(12):
            name = NAMES[given.ConsumeIntInRange(0, len(NAMES) - 1)]
            numbers = []
            for kind in core_signature(ROWS[name])[0]:
                bits = 64 if kind == "i64" else 32
                if given.ConsumeBool():
                    numbers.append(given.ConsumeIntInRange(0, 80))
                elif given.ConsumeBool():
                    numbers.append(given.PickValueInList(EDGES) & (2**bits - 1))
                else:
                    numbers.append(given.ConsumeUInt(bits // 8))
            Errno(backend.call(name, *numbers))
    finally:
        backend.close()


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
