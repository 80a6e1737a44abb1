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
def test_the_engine_accepts_every_configuration_that_we_build(epochs, stack, parallel):
    code = f"""
from wasi_host.runtimes.wasmtime_engine import Engine
print(bool(Engine({epochs}, {stack}, {parallel}).pointer))
"""
    assert child(code) == ["True"]
