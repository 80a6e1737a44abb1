"""What we use of wasmtime's C API: types of callbacks, and the functions with their types."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_bool, c_char_p, c_int64, c_size_t, c_uint8, c_uint64, c_void_p

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Final

#: What the engine calls: ``(env, caller, arguments and results) -> trap or 0``. The context is
#: the ``env`` pointer itself; the fourth argument (the length) need not be declared.
THUNK: Final = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t, ctypes.py_object, ctypes.c_ssize_t, ctypes.c_ssize_t
)
#: Called when a defined function is gone: ``(env)``.
FINALIZER: Final = ctypes.CFUNCTYPE(None, ctypes.c_ssize_t)
#: Called at an epoch deadline: ``(store context, env, delta, kind) -> error or 0``.
EPOCH_CALLBACK: Final = ctypes.CFUNCTYPE(
    c_size_t, c_void_p, ctypes.py_object, POINTER(c_uint64), POINTER(c_uint8)
)


class ByteVec(ctypes.Structure):
    """``wasm_byte_vec_t`` and its likes: a size and an array."""

    _fields_ = (("size", c_size_t), ("data", c_void_p))

    @property
    def address(self) -> int:
        """Where the vector itself lies."""
        return ctypes.addressof(self)


_POINTER, _SIZE, _BOOL = c_void_p, c_size_t, c_bool
_NAME = (c_char_p, c_size_t)

#: The sizes of the pooling allocator that we set.
POOL_SIZES: Final = (
    "total_core_instances",
    "total_memories",
    "total_tables",
    "max_memory_size",
    "table_elements",
    "max_core_instance_size",
    "linear_memory_keep_resident",
    "table_keep_resident",
    "max_unused_warm_slots",
)

# name: (result, arguments, releases the GIL)
DECLARATIONS: Final[dict[str, tuple[Any, tuple[Any, ...], bool]]] = {
    "wasm_config_new": (_POINTER, (), False),
    "wasm_engine_new_with_config": (_POINTER, (_POINTER,), False),
    "wasmtime_engine_increment_epoch": (None, (_POINTER,), False),
    "wasmtime_config_epoch_interruption_set": (None, (_POINTER, _BOOL), False),
    "wasmtime_config_consume_fuel_set": (None, (_POINTER, _BOOL), False),
    "wasmtime_config_max_wasm_stack_set": (None, (_POINTER, _SIZE), False),
    "wasmtime_config_async_stack_size_set": (None, (_POINTER, _SIZE), False),
    "wasmtime_config_memory_may_move_set": (None, (_POINTER, _BOOL), False),
    "wasmtime_config_memory_reservation_set": (None, (_POINTER, c_uint64), False),
    "wasmtime_pooling_allocation_config_new": (_POINTER, (), False),
    "wasmtime_pooling_allocation_config_delete": (None, (_POINTER,), False),
    **{
        f"wasmtime_pooling_allocation_config_{name}_set": (None, (_POINTER, _SIZE), False)
        for name in POOL_SIZES
    },
    "wasmtime_pooling_allocation_strategy_set": (None, (_POINTER, _POINTER), False),
    "wasmtime_config_parallel_compilation_set": (None, (_POINTER, _BOOL), False),
    "wasmtime_config_wasm_exceptions_set": (None, (_POINTER, _BOOL), False),
    "wasmtime_config_wasm_tail_call_set": (None, (_POINTER, _BOOL), False),
    "wasmtime_wat2wasm": (_POINTER, (*_NAME, _POINTER), True),
    "wasmtime_module_new": (_POINTER, (_POINTER, c_char_p, _SIZE, _POINTER), True),
    "wasmtime_module_validate": (_POINTER, (_POINTER, c_char_p, _SIZE), True),
    "wasmtime_module_serialize": (_POINTER, (_POINTER, _POINTER), True),
    "wasmtime_module_deserialize_file": (_POINTER, (_POINTER, c_char_p, _POINTER), True),
    "wasmtime_module_delete": (None, (_POINTER,), False),
    "wasmtime_module_imports": (None, (_POINTER, _POINTER), False),
    "wasmtime_module_exports": (None, (_POINTER, _POINTER), False),
    "wasm_importtype_vec_delete": (None, (_POINTER,), False),
    "wasm_exporttype_vec_delete": (None, (_POINTER,), False),
    "wasm_importtype_module": (POINTER(ByteVec), (_POINTER,), False),
    "wasm_importtype_name": (POINTER(ByteVec), (_POINTER,), False),
    "wasm_importtype_type": (_POINTER, (_POINTER,), False),
    "wasm_exporttype_name": (POINTER(ByteVec), (_POINTER,), False),
    "wasm_exporttype_type": (_POINTER, (_POINTER,), False),
    "wasm_externtype_kind": (c_uint8, (_POINTER,), False),
    "wasm_externtype_as_functype_const": (_POINTER, (_POINTER,), False),
    "wasm_externtype_as_memorytype_const": (_POINTER, (_POINTER,), False),
    "wasm_functype_params": (POINTER(ByteVec), (_POINTER,), False),
    "wasm_functype_results": (POINTER(ByteVec), (_POINTER,), False),
    # Not wasm_valtype_kind: that aborts the process for vectors and most references.
    "wasmtime_wasm_valtype_equal": (_BOOL, (_POINTER, _POINTER), False),
    "wasm_valtype_new": (_POINTER, (c_uint8,), False),
    "wasm_valtype_vec_new": (None, (_POINTER, _SIZE, _POINTER), False),
    "wasm_functype_new": (_POINTER, (_POINTER, _POINTER), False),
    "wasm_functype_delete": (None, (_POINTER,), False),
    "wasmtime_memorytype_is64": (_BOOL, (_POINTER,), False),
    "wasmtime_memorytype_isshared": (_BOOL, (_POINTER,), False),
    "wasm_byte_vec_delete": (None, (_POINTER,), False),
    "wasmtime_linker_new": (_POINTER, (_POINTER,), False),
    "wasmtime_linker_delete": (None, (_POINTER,), False),
    "wasmtime_linker_define_func_unchecked": (
        _POINTER,
        (_POINTER, *_NAME, *_NAME, _POINTER, _POINTER, _POINTER, _POINTER),
        False,
    ),
    "wasmtime_linker_instantiate_pre": (_POINTER, (_POINTER, _POINTER, _POINTER), False),
    "wasmtime_instance_pre_delete": (None, (_POINTER,), False),
    "wasmtime_instance_pre_instantiate": (
        _POINTER,
        (_POINTER, _POINTER, _POINTER, _POINTER),
        True,
    ),
    "wasmtime_store_new": (_POINTER, (_POINTER, _POINTER, _POINTER), False),
    "wasmtime_store_context": (_POINTER, (_POINTER,), False),
    "wasmtime_store_delete": (None, (_POINTER,), False),
    "wasmtime_store_limiter": (
        None,
        (_POINTER, c_int64, c_int64, c_int64, c_int64, c_int64),
        False,
    ),
    "wasmtime_store_epoch_deadline_callback": (
        None,
        (_POINTER, EPOCH_CALLBACK, _POINTER, _POINTER),
        False,
    ),
    "wasmtime_context_set_epoch_deadline": (None, (_POINTER, c_uint64), False),
    "wasmtime_context_set_fuel": (_POINTER, (_POINTER, c_uint64), False),
    "wasmtime_instance_export_get": (_BOOL, (_POINTER, _POINTER, *_NAME, _POINTER), False),
    "wasmtime_func_call_unchecked": (
        _POINTER,
        (_POINTER, _POINTER, _POINTER, _SIZE, _POINTER),
        True,
    ),
    "wasmtime_memory_data": (_POINTER, (_POINTER, _POINTER), False),
    "wasmtime_memory_data_size": (_SIZE, (_POINTER, _POINTER), False),
    "wasmtime_caller_export_get": (_BOOL, (_POINTER, *_NAME, _POINTER), False),
    "wasmtime_caller_context": (_POINTER, (_POINTER,), False),
    "wasmtime_trap_new": (_POINTER, _NAME, False),
    "wasmtime_trap_new_code": (_POINTER, (c_uint8,), False),
    "wasmtime_trap_code": (_BOOL, (_POINTER, _POINTER), False),
    "wasm_trap_message": (None, (_POINTER, _POINTER), False),
    "wasm_trap_delete": (None, (_POINTER,), False),
    "wasmtime_error_new": (_POINTER, (c_char_p,), False),
    "wasmtime_error_message": (None, (_POINTER, _POINTER), False),
    "wasmtime_error_delete": (None, (_POINTER,), False),
}
