"""The project keeps its floors, and the checker that says so refuses what it is for.

The table to edit when a module is added is `LADDER` in `tests/architecture.py`.
"""

import pytest

from tests.architecture import LADDER, NODE, PACKAGES, PLACED, ROOT, RULES, WORLD


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__doc__.strip(". "))
def test_the_project_keeps_the_rule(rule):
    assert not list(rule(ROOT))


def test_the_table_itself_only_looks_down():
    floor_of = {name: row[0] for name, row in PLACED.items()}
    sibling = {(WORLD, NODE)}
    for floor, package, _, sees in LADDER:
        for seen in sees:
            seen_module = seen.split(":")[0]
            allowed = floor_of[seen_module] < floor or (package, seen_module) in sibling
            inner = floor == 9 and floor_of[seen_module] == 9  # __main__ starts the command line
            assert allowed or inner, f"{package} sees {seen}"


# ---- the checker itself: each rule refuses what it is for, and nothing else -------------------


@pytest.fixture
def tree(tmp_path):
    """Writes a made-up project and answers what each rule says of it."""

    def build(files, *, typed=PACKAGES):
        for package in PACKAGES:
            (tmp_path / package).mkdir(exist_ok=True)
        for package in typed:
            (tmp_path / package / "py.typed").touch()
        for path, text in files.items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return {rule.__name__: found for rule in RULES if (found := list(rule(tmp_path)))}

    return build


REFUSED = {
    "a lower floor imports a higher one":
        ("floors", "wasi_host/fs/node.py", "from wasi_host.descriptors import base"),
    "the spec imports the host":
        ("floors", "wasi_spec/errno.py", "import wasi_host.errors"),
    "a later module of its own package":
        ("floors", "wasi_host/fs/node.py", "from wasi_host.fs.memory import MemoryFS"),
    "a later module, relatively":
        ("floors", "wasi_host/fs/node.py", "from .memory import MemoryFS"),
    "a later module, relatively from the package":
        ("floors", "wasi_host/fs/node.py", "from . import memory"),
    "its own package's __init__":
        ("floors", "wasi_host/fs/node.py", "from wasi_host.fs import Directory"),
    "fs takes more of errors than foreign":
        ("floors", "wasi_host/fs/node.py", "from wasi_host.errors import WasiError"),
    "fs takes errors whole":
        ("floors", "wasi_host/fs/node.py", "import wasi_host.errors"),
    "fs takes errors from the package":
        ("floors", "wasi_host/fs/node.py", "from wasi_host import errors"),
    "fs imports world":
        ("floors", "wasi_host/fs/host.py", "import wasi_host.world.clocks"),
    "world imports more of fs than node":
        ("floors", "wasi_host/world/streams.py", "from wasi_host.fs.memory import MemoryFS"),
    "binding imports layers":
        ("floors", "wasi_host/binding/shim.py", "import wasi_host.layers"),
    "layers import binding":
        ("floors", "wasi_host/layers/trace.py", "from wasi_host import binding"),
    "binding imports Preview1":
        ("floors", "wasi_host/binding/shim.py", "from wasi_host.preview1 import Preview1"),
    "a runtime imports fs":
        ("floors", "wasi_host/runtimes/wasmtime.py", "from wasi_host.fs import node"),
    "anything imports the public face":
        ("floors", "wasi_host/sandbox.py", "import wasi_host"),
    "for types only":
        ("floors", "wasi_host/fs/node.py",
         "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import wasi_host.preview1.fd"),
    "conformance looks below the front":
        ("floors", "conformance/runner.py", "from wasi_host.preview1 import Preview1"),
    "the command line looks below the front":
        ("floors", "wasi_host/cli/run.py", "from wasi_host.fs.memory import MemoryFS"),
    "a module nobody placed":
        ("placed_modules", "wasi_host/fs/surprise.py", ""),
    "click outside the command line":
        ("third_parties", "wasi_host/sandbox.py", "import click"),
    "wasmtime at module level":
        ("third_parties", "wasi_host/runtimes/wasmtime.py", "import wasmtime"),
    "wasmtime lazily, but in the wrong place":
        ("third_parties", "wasi_host/fs/node.py", "def f():\n    import wasmtime"),
    "a third party nobody knows":
        ("third_parties", "wasi_host/cli/run.py", "from requests import get"),
    "a module of ours inside a function":
        ("no_hidden_imports", "wasi_host/preview1/fd.py", "def f():\n    import wasi_spec.errno"),
    "a long file":
        ("file_lengths", "wasi_spec/errno.py", "x = 1\n" * 401),
    "a module named utils":
        ("no_utils", "wasi_host/fs/utils.py", ""),
    "exec":
        ("no_exec", "wasi_host/fs/node.py", "exec('x = 1')"),
    "eval by its full name":
        ("no_exec", "wasi_host/fs/node.py", "import builtins\nbuiltins.eval('1')"),
    "ctypes":
        ("no_ctypes", "wasi_host/binding/memory.py", "from ctypes import c_char"),
    "ctypes inside a function":
        ("no_ctypes", "wasi_host/fs/host.py", "def f():\n    import ctypes.util"),
    "ALL by name":
        ("no_whole_memory", "wasi_host/preview1/fd.py", "def f(a):\n    return ALL[a]"),
    "ALL as an attribute":
        ("no_whole_memory", "wasi_host/preview1/fd.py", "import sys\nsys.ALL[0] = 1"),
    "ALL in a template":
        ("no_whole_memory", "wasi_host/binding/codec.py", "LINE = 'fd, = UNPACK(ALL, a)'"),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "path", "text"), REFUSED.values(), ids=REFUSED)
def test_the_checker_refuses(rule, path, text, tree):
    found = tree({path: text + "\n"})
    assert rule in found, found
    module = path.removesuffix(".py").replace("/", ".")
    assert found[rule][0].startswith(module)


def test_the_checker_refuses_a_package_without_its_typing_marker(tree):
    assert tree({}, typed=["wasi_spec", "wasi_host"]) == {
        "typed_packages": ["conformance has no py.typed"]
    }


def test_the_checker_refuses_a_cycle(tree):
    found = tree({
        "wasi_spec/errno.py": "import wasi_spec.enums\n",
        "wasi_spec/enums.py": "from .errno import Errno\n",
    })  # fmt: skip
    assert "['wasi_spec.enums', 'wasi_spec.errno']" in found["no_cycles"][0]


def test_the_checker_accepts_what_the_design_allows(tree):
    assert not tree({
        "wasi_spec/errno.py": '"""Errnos."""\nimport enum\n',
        "wasi_spec/functions.py": "from wasi_spec.types import FD\nfrom .errno import Errno\n",
        "wasi_host/errors.py": "from wasi_spec.errno import Errno\n",
        "wasi_host/fs/node.py": "from wasi_spec import records\n",
        "wasi_host/fs/host.py": "from wasi_host.errors import foreign\nfrom . import node\n",
        "wasi_host/fs/openat2.py": "import ctypes\n",
        "wasi_host/fs/__init__.py": "from wasi_host.fs.host import HostDir\nfrom .node import F\n",
        "wasi_host/world/streams.py": "from wasi_host.fs.node import Node\n",
        "wasi_host/binding/shim.py": "from wasi_host.binding import memory\nexec('x', ALL)\n",
        "wasi_host/binding/memory.py": '"""Holds ALL."""\nALL = None\n',
        "wasi_host/runtimes/wasmtime.py": "def f():\n    import wasmtime\n",
        "wasi_host/limits.py": "",
        "wasi_host/sandbox.py": "from wasi_host import limits\nfrom wasi_host.fs import HostDir\n",
        "wasi_host/cli/main.py": "import click\n\ndef f():\n    import wasi_host.inspect\n",
        "wasi_host/cli/__init__.py": "from wasi_host.cli.main import main\n",
        "wasi_host/__init__.py": "from wasi_host.sandbox import run\n",
        "wasi_host/__main__.py": "from wasi_host.cli import main\n",
        "wasi_host/inspect.py": "from wasi_spec.functions import FUNCTIONS\n",
        "conformance/runner.py": "from wasi_host.sandbox import run\n",
    })  # fmt: skip
