"""The specification stands on the standard library alone, and on little of that."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import wasi_spec

PACKAGE = Path(wasi_spec.__file__).parent

#: Each of these costs more to import than the whole table.
HEAVY = {"dataclasses", "inspect", "typing_extensions", "asyncio", "importlib.metadata", "logging"}


def modules_loaded_by(statement):
    """Return the names that ``-X importtime`` reports for a statement in a fresh interpreter."""
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", "-c", statement],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {line.rsplit("|", 1)[1].strip() for line in run.stderr.splitlines() if "|" in line}


def loaded_with_the_table():
    # -S: without site-packages, so that nothing but the package and the library can be found.
    return modules_loaded_by(f"import sys; sys.path.append({str(PACKAGE.parent)!r}); "
                             "import wasi_spec.unstable, wasi_spec.records")  # fmt: skip


def test_importing_the_table_loads_only_the_standard_library():
    ours = {name for name in loaded_with_the_table() if name.split(".")[0] == "wasi_spec"}
    others = loaded_with_the_table() - ours - {"imported package"}
    assert "wasi_spec.functions" in ours
    assert {name for name in others if name.split(".")[0] not in sys.stdlib_module_names} == set()


def test_importing_the_package_alone_loads_nothing_else_of_it():
    statement = f"import sys; sys.path.append({str(PACKAGE.parent)!r}); import wasi_spec"
    loaded = {name for name in modules_loaded_by(statement) if name.startswith("wasi_spec")}
    assert loaded == {"wasi_spec"}


def test_every_public_name_is_imported_from_where_it_is_at_home():
    for name in wasi_spec.__all__:
        value = getattr(wasi_spec, name)
        assert getattr(value, "__module__", "wasi_spec.functions").startswith("wasi_spec.")
    assert set(wasi_spec.__all__) <= set(dir(wasi_spec))
    with pytest.raises(AttributeError, match="no attribute 'imagined'"):
        _ = wasi_spec.imagined


def test_importing_the_table_loads_no_heavy_part_of_the_library():
    assert loaded_with_the_table() & HEAVY == set()


def test_the_report_of_imports_would_show_a_heavy_module():
    assert "dataclasses" in modules_loaded_by("import dataclasses")


def test_no_module_of_the_table_names_anything_but_the_library_and_itself():
    imported = set()
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name}: relative import"
                imported.add((node.module or "").split(".")[0])
    assert imported - {"wasi_spec"} <= sys.stdlib_module_names
