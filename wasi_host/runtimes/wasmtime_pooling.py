"""Places for instances that are kept ready: the engine's pooling allocator.

An instance on demand maps memory and gives it back, some 40 us with the page faults that follow;
in a pool its place is there already and is cleaned after use. Each place reserves 4 GiB of
address space and more, of which a process has 128 TiB, or less where it is limited; an engine
that cannot reserve it **aborts the process**, so the room is tried out first.
"""

import mmap
import resource
from typing import Final

from wasi_host.runtimes import wasmtime_capi as capi
from wasi_host.runtimes.contract import Pooling

#: What a place reserves: all that 32 bits reach, and the guard around it, rounded up.
_PLACE: Final = 5 << 30
#: With fewer places than this a pool is not worth its engine.
FEWEST: Final = 8
#: Table elements of an instance, 8 bytes each. Python has 10,000, Yosys 30,000.
_TABLE_ELEMENTS: Final = 200_000
#: Bytes of a used memory that are cleared by writing; the rest is given back to the system,
#: which is dearer for the first pages and cheaper for many.
_KEEP_RESIDENT: Final = 64 << 10
#: Bytes of the engine's own data of an instance: a module of 30,000 functions has 1 MiB.
_INSTANCE_BYTES: Final = 4 << 20


def room_for(places: int, memory: int) -> Pooling | None:
    """Return a pool of so many places, or fewer where there is less address space.

    Args:
        places: how many are wanted.
        memory: bytes of memory an instance may have.

    Returns:
        The pool that fits; None where fewer than ``FEWEST`` places do.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        places = min(places, limit // _PLACE)
    while places >= FEWEST:
        try:
            mmap.mmap(-1, places * _PLACE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 0).close()
        except (OSError, OverflowError):
            places //= 2
        else:
            return Pooling(places, memory)
    return None


def use_pool(config: int, pooling: Pooling) -> None:
    """Let the engine made of a configuration keep places for instances."""
    lib = capi.library()
    pool = lib.pooling_allocation_config_new()
    for name, value in (
        ("total_core_instances", pooling.places),
        ("total_memories", pooling.places),
        ("total_tables", pooling.places),
        ("max_memory_size", pooling.memory),
        ("table_elements", _TABLE_ELEMENTS),
        ("max_core_instance_size", _INSTANCE_BYTES),
        ("linear_memory_keep_resident", _KEEP_RESIDENT),
        ("table_keep_resident", _KEEP_RESIDENT),
        ("max_unused_warm_slots", pooling.places),
    ):
        getattr(lib, f"pooling_allocation_config_{name}_set")(pool, value)
    lib.pooling_allocation_strategy_set(config, pool)
    lib.pooling_allocation_config_delete(pool)
