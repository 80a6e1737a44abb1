"""wasmtime's package with the pooling allocator, which it has no Python names for yet."""

import wasmtime
from wasmtime import _bindings

PLACES = 128
KEEP_RESIDENT = 64 << 10


def pooling_engine(places: int = PLACES) -> wasmtime.Engine:
    """Return an engine whose instances have places kept ready, as many and as large as ours."""
    config = wasmtime.Config()
    pool = _bindings.wasmtime_pooling_allocation_config_new()
    for name, value in (
        ("total_core_instances", places),
        ("total_memories", places),
        ("total_tables", places),
        ("max_memory_size", 1 << 30),
        ("linear_memory_keep_resident", KEEP_RESIDENT),
        ("table_keep_resident", KEEP_RESIDENT),
        ("max_unused_warm_slots", places),
    ):
        getattr(_bindings, f"wasmtime_pooling_allocation_config_{name}_set")(pool, value)
    _bindings.wasmtime_pooling_allocation_strategy_set(config.ptr(), pool)
    _bindings.wasmtime_pooling_allocation_config_delete(pool)
    return wasmtime.Engine(config)
