"""``python -m tests.fuzz --modules N --calls N --seed S``: hostile modules, hostile numbers."""

import argparse
import tempfile
import time
from collections import Counter

from tests.attacks.backends import BACKENDS
from tests.fuzz.arguments import fuzz
from tests.fuzz.modules import in_child

BATCH = 500


def main() -> None:
    """Fuzz as the words say; a failure ends it with its seed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--modules", type=int, default=5000)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    begin = time.monotonic()
    ended: Counter[str] = Counter()
    for seed in range(given.seed, given.seed + given.modules // BATCH):
        ended += in_child(seed, BATCH)
    print(f"{ended.total():,} modules: {dict(ended)}, {time.monotonic() - begin:.0f} s", flush=True)
    begin, calls = time.monotonic(), 0
    seed = given.seed
    while calls < given.calls:
        for backend in BACKENDS.values():
            with tempfile.TemporaryDirectory(prefix="wasi-host-fuzz-") as root:
                guest = backend({"/": root}, stdin=b"input")
                calls += fuzz(guest, seed, 2000).total()
                guest.close()
        seed += 1
    print(f"{calls:,} calls, {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
