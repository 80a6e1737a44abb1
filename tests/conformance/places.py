"""Makes suites of small programs in the official layout."""

import json


def place(directory, name, program, description=None):
    """Put a program, and its description if it has one, into a directory; return the module."""
    directory.mkdir(parents=True, exist_ok=True)
    wasm = directory / f"{name}.wasm"
    wasm.write_bytes(program)
    if description is not None:
        wasm.with_suffix(".json").write_text(json.dumps(description))
    return wasm


def official(root, language, suite="WASI C tests", version="wasm32-wasip1"):
    """Make the directory of a suite as the official repository has it."""
    directory = root / "tests" / language / "testsuite" / version
    directory.mkdir(parents=True)
    (directory / "manifest.json").write_text(json.dumps({"name": suite, "version": version}))
    return directory
