"""Small guests in WebAssembly text, and how they are run."""

from functools import cache

import wasi_host
from wasi_spec import FUNCTIONS, core_signature

_SIGNATURES = {row.name: core_signature(row) for row in FUNCTIONS}
MEMORY = '(memory (export "memory") 1)'
NOTHING = '(func (export "_start"))'
SPIN = '(func (export "_start") (loop (br 0)))'


def imports(*names):
    """Text that imports functions of preview 1 as $name."""
    text = ""
    for name in names:
        params, results = _SIGNATURES[name]
        signature = "".join(f"(param {kind})" for kind in params)
        signature += "".join(f"(result {kind})" for kind in results)
        text += f'(import "wasi_snapshot_preview1" "{name}" (func ${name} {signature}))\n'
    return text


def module(*parts, wasi=(), memory=MEMORY):
    """The bytes of a module that imports ``wasi`` and has ``parts``."""
    return f"(module {imports(*wasi)} {memory} {' '.join(parts)})".encode()


def command(body, *parts, wasi=(), memory=MEMORY):
    """A module whose ``_start`` does ``body``."""
    return module(*parts, f'(func (export "_start") {body})', wasi=wasi, memory=memory)


@cache
def writes(text):
    """Return a body that writes a text of up to 100 bytes at 1000 to standard output."""
    size = len(text.encode())
    shown = "".join(f"\\{byte:02x}" for byte in text.encode())
    return (
        f"(i32.store (i32.const 1100) (i32.const 1000)) (i32.store (i32.const 1104)"
        f" (i32.const {size}))"
        "(drop (call $fd_write (i32.const 1) (i32.const 1100) (i32.const 1) (i32.const 1108)))",
        f'(data (i32.const 1000) "{shown}")',
    )


def run(source, *words, **keywords):
    """Run with both outputs captured."""
    keywords.setdefault("capture_output", True)
    return wasi_host.run([source, *words], **keywords)


def instance(source, **keywords):
    """A live instance of a module without directories."""
    return wasi_host.Sandbox(source).instantiate(**keywords)
