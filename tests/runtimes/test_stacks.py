"""Room for a guest's stack, and the engine's configurations, each in a process of its own."""

import pytest

from tests.runtimes.children import child


def test_a_larger_stack_holds_a_deeper_recursion():
    code = """
print(run('count', '500000'))
print(run('count', '500000', limits=wasi_host.Limits(stack=256 << 20)))
"""
    assert child(code) == ["stack overflow", "(500000,)"]


@pytest.mark.parametrize("epochs", [False, True], ids=["plain", "with epoch checks"])
@pytest.mark.parametrize("stack", [1 << 16, 1 << 20, 8 << 20, 1 << 30], ids="{:,} bytes".format)
@pytest.mark.parametrize("parallel", [False, True], ids=["one thread", "many threads"])
@pytest.mark.parametrize("fuel", [False, True], ids=["uncounted", "fuel"])
@pytest.mark.parametrize("pooled", [False, True], ids=["on demand", "in a pool"])
def test_the_engine_accepts_every_configuration_that_we_build(
    epochs, stack, parallel, fuel, pooled
):
    code = f"""
from wasi_host.runtimes.contract import Mode
from wasi_host.runtimes.wasmtime_engine import Engine
from wasi_host.runtimes.wasmtime_pooling import room_for
pooling = room_for(8, 1 << 32) if {pooled} else None
assert {pooled} == (pooling is not None)
print(bool(Engine(Mode({epochs}, {fuel}, {stack}, pooling), {parallel}).pointer))
"""
    assert child(code) == ["True"]
