"""Keeps the floors: who may import whom, and where the dangerous tools may be used.

The one table to edit is `LADDER`. A module imports only what its row `sees`, or modules listed
before it in its own row; a package's `__init__` comes after all its modules. Everything else in
this file reads sources with `ast`, imports nothing of ours, and is tested on made-up trees in
`test_architecture.py`.
"""

import ast
import re
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("wasi_spec", "wasi_host", "conformance")
LONGEST = 400

SPEC, ERRORS, FOREIGN = "wasi_spec", "wasi_host.errors", "wasi_host.errors:foreign"
# Whoever waits may be told to stop: the one exception of ours that a world raises.
STOPPED = "wasi_host.errors:Stopped"
FS, WORLD, NODE = "wasi_host.fs", "wasi_host.world", "wasi_host.fs.node"
DESCRIPTORS, PREVIEW1 = "wasi_host.descriptors", "wasi_host.preview1"
NATIVE = "wasi_host.native"
# What is known of engines and modules without any of them.
CONTRACT, SECTIONS = "wasi_host.runtimes.contract", "wasi_host.runtimes.sections"
LAYERS, BINDING, RUNTIMES = "wasi_host.layers", "wasi_host.binding", "wasi_host.runtimes"
FRONT = (
    "limits interrupts changes files_export files results rights sockets sources directories "
    "adapters "
    "streams cache modules diagnosis "
    "command_line stacks observers surroundings wasi guest instance travel mapping sandbox "
    "process asynchronous pool"
)
FRONT_MODULES = tuple(f"wasi_host.{name}" for name in FRONT.split())
INSPECT, CONFORMANCE, CLI = "wasi_host.inspect", "conformance", "wasi_host.cli"

# floor, package, its modules in the order in which they may import each other, what it sees.
# "package:name" allows `from package import name` and nothing else of it.
LADDER = (
    (0, SPEC, "tuples numbers errno enums flags rights signatures types layout records functions "
     "values unstable", ()),
    (1, "wasi_host", "errors", (SPEC,)),
    # Between two floors: it came late, and stands beside both what waits and what runs.
    (1.5, NATIVE, "structures build library", (SPEC, ERRORS)),
    (2, FS, "budget node walk refusing resolve "
            "memory_data memory_snapshot memory_tree memory_file "
            "change_version change_diff change change_export changes memory_changes "
            "memory_names memory_nodes memory "
            "openat2 host_nodes fixed single host "
            "path_store path_attributes path_tree path_nodes path_fs "
            "pyfs_import pyfs fsspec_files fsspec url "
            "archive_data archive_file archive_index archive_zip archive_tar archive devices "
            "source "
            "wrapped readonly quota_account quota patterns filter "
            "overlay_data overlay_index overlay_lower overlay_layers overlay_marks overlay_upper "
            "overlay_file overlay_names overlay_nodes "
            "overlay_difference "
            "overlay_changes overlay_apply overlay "
            "namespace export",
     (SPEC, FOREIGN)),
    (2, WORLD, "clocks randomness wake scheduler streams native_streams stdio sockets",
     (SPEC, FOREIGN, STOPPED, NODE, NATIVE)),
    (3, DESCRIPTORS, "base file stream directory socket table slotted native slotted_files "
     "native_files",
     (SPEC, ERRORS, FS, WORLD, NATIVE)),
    (4, PREVIEW1, "state process fd path poll sock native preopens",
     (SPEC, ERRORS, FS, WORLD, NATIVE, DESCRIPTORS)),
    (5, LAYERS, "layer counting policy faults recording record replay trace_format "
     "trace_hints trace", (SPEC, ERRORS)),
    (5, BINDING, "memory context transfer codec shim stub", (SPEC, ERRORS)),
    (6, RUNTIMES, "contract libc_capi wasmtime_declarations wasmtime_capi wasmtime_calls "
     "wasmtime_pooling wasmtime_engine wasmtime_context wasmtime_instance wasmtime "
     "wasmtime_linker wasmtime_public wasmtime_check wasmtime_choice "
     "sections values_guest pywasm pywasm3 engines",
     (SPEC, ERRORS, NATIVE, BINDING)),
    (7, "wasi_host", FRONT,
     (SPEC, ERRORS, NATIVE, FS, WORLD, DESCRIPTORS, PREVIEW1, LAYERS, BINDING, RUNTIMES)),
    (8, "wasi_host", "inspect",
     (SPEC, ERRORS, "wasi_host.binding.shim:source", CONTRACT, SECTIONS, *FRONT_MODULES)),
    (8, CONFORMANCE, "sockets suite own expectations peers engines filesystems session hosts "
     "runner adapter report plugin",
     (SPEC, ERRORS, *FRONT_MODULES)),
    (8, "conformance.adapters", "wasmtime_wasi run_wasmtime_wasi node_wasi __init__", ()),
    (9, CLI, "notice program changing limiting watching options run inspect doctor test group "
     "main __main__ __init__",
     (*FRONT_MODULES, INSPECT, CONFORMANCE)),
    (9, "wasi_host", "__init__ __main__", (*FRONT_MODULES, INSPECT, CONFORMANCE, CLI)),
)  # fmt: skip

# Third parties: who may import them, and whether at module level.
THIRD_PARTIES = {
    "click": ((CLI,), True),
    "rich": ((CLI,), False),
    "fs": (("wasi_host.fs.pyfs_import", "wasi_host.fs.export"), False),
    "fsspec": (("wasi_host.fs.fsspec", "wasi_host.fs.url"), False),
    "wasmtime": ((RUNTIMES, "wasi_host.wasi", "conformance.adapters"), False),
    "pywasm": ((RUNTIMES,), False),
    "wasm3": ((RUNTIMES,), False),
    "pytest": (("conformance.plugin",), True),
    "jinja2": (("conformance.report",), False),
}
CTYPES_USERS = {
    "wasi_host.native.structures",
    "wasi_host.native.library",
    "wasi_host.runtimes.wasmtime_declarations",
    "wasi_host.runtimes.wasmtime_capi",
    "wasi_host.runtimes.wasmtime_calls",
    "wasi_host.runtimes.libc_capi",
    "wasi_host.fs.openat2",
}
EXEC_USERS = {"wasi_host.binding.shim"}
WHOLE_MEMORY_USERS = EXEC_USERS | {"wasi_host.binding.memory", "wasi_host.runtimes.wasmtime_capi"}
# Only here may modules of ours be imported inside functions: a command loads what it needs, and
# what watches a guest is loaded where one is watched.
LAZY_IMPORTERS = {
    "wasi_host",
    "wasi_host.__main__",
    "wasi_host.binding.stub",
    "wasi_host.fs.source",
    "wasi_host.preview1",
    "wasi_host.runtimes.wasmtime",
    "wasi_host.runtimes.wasmtime_choice",
    "wasi_host.runtimes.wasmtime_engine",
    "wasi_host.sockets",
    "wasi_host.results",
    "wasi_host.surroundings",
    "wasi_host.sandbox",
    "wasi_host.travel",
    "wasi_host.runtimes.engines",
    "conformance.plugin",
}


def rows():
    """Each module's full name with its floor, package, place in its row, and what it sees."""
    placed = {}
    for floor, package, modules, sees in LADDER:
        names = modules.split()
        for place, name in enumerate(names):
            full = package if name == "__init__" else f"{package}.{name}"
            placed[full] = (floor, package, place, sees)
        placed.setdefault(package, (floor, package, len(names), sees))
    placed["wasi_host"] = (9, "wasi_host", 0, LADDER[-1][3])
    return placed


PLACED = rows()


@dataclass
class Import:
    """One imported name: the module it is sought in, where, and whether inside a function."""

    module: str
    name: str | None
    line: int
    lazy: bool


@dataclass
class Source:
    """One module file."""

    name: str
    path: Path
    text: str = field(repr=False)

    def __post_init__(self):
        self.tree = ast.parse(self.text, str(self.path))
        self.imports = list(self._imports())

    def _imports(self):
        inside = {
            id(node)
            for function in ast.walk(self.tree)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for node in ast.walk(function)
        }
        for node in ast.walk(self.tree):
            lazy = id(node) in inside
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, None, node.lineno, lazy)
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                for alias in node.names:
                    yield Import(base, alias.name, node.lineno, lazy)

    def _absolute(self, node):
        if not node.level:
            return node.module
        parts = self.name.split(".")
        up = node.level - (self.path.name == "__init__.py")
        return ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])

    def where(self, line):
        return f"{self.name}, line {line}"


@cache
def source(name, path, text):
    """A module file, parsed once for all rules."""
    return Source(name, path, text)


def sources(root):
    """All modules of the packages below `root`, by full name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = source(name, path, path.read_text(encoding="utf-8"))
    return found


def target_of(item, known):
    """The module of ours an import reaches, or None: `from package import module` is the module."""
    if item.module.split(".")[0] not in PACKAGES:
        return None
    deeper = f"{item.module}.{item.name}"
    return deeper if item.name and (deeper in known or deeper in PLACED) else item.module


def within(module, packages):
    return any(module == package or module.startswith(package + ".") for package in packages)


def placed_modules(root):
    """Every module has its place in LADDER."""
    for name in sources(root):
        if name not in PLACED:
            yield f"{name} has no place: add it to LADDER in tests/{Path(__file__).name}"


def floors(root):
    """A module imports only what its row sees, or modules before it in its own row."""
    known = sources(root)
    for name, source in known.items():
        for item in source.imports:
            target = target_of(item, known)
            if target and name in PLACED and not may_import(name, target, item.name):
                what = target if item.name is None else f"{item.name} from {item.module}"
                yield f"{source.where(item.line)}: must not import {what}"


def may_import(name, target, wanted):
    _, _, place, sees = PLACED[name]
    if target not in PLACED:
        return True  # reported by the rule above
    if PLACED[target][:2] == PLACED[name][:2]:
        return PLACED[target][2] < place
    return within(target, sees) or f"{target}:{wanted}" in sees


def third_parties(root):
    """A third party is imported only where the table says, and lazily where it says so."""
    for name, source in sources(root).items():
        for item in source.imports:
            top = item.module.split(".")[0]
            if top in sys.stdlib_module_names or top in PACKAGES:
                continue
            users, at_module_level = THIRD_PARTIES.get(top, ((), False))
            if not within(name, users):
                yield f"{source.where(item.line)}: must not import the third party {top}"
            elif not (at_module_level or item.lazy):
                yield f"{source.where(item.line)}: imports {top} at module level"


def no_hidden_imports(root):
    """Modules of ours are imported at the top of the file, where they can be seen."""
    known = sources(root)
    for name, source in known.items():
        for item in source.imports:
            allowed = name in LAZY_IMPORTERS or within(name, (CLI,))
            if item.lazy and target_of(item, known) and not allowed:
                yield f"{source.where(item.line)}: imports {item.module} inside a function"


def no_cycles(root):
    """Imports form no cycle, whatever the table says."""
    known = sources(root)
    edges = {
        name: {target_of(item, known) for item in source.imports} & known.keys() - {name}
        for name, source in known.items()
    }
    while free := {name for name, targets in edges.items() if not targets & edges.keys()}:
        edges = {name: targets for name, targets in edges.items() if name not in free}
    if edges:
        yield f"modules in a cycle, or that import one: {sorted(edges)}"


def file_lengths(root):
    """No module file is longer than people read in one go."""
    for name, source in sources(root).items():
        if (lines := len(source.text.splitlines())) > LONGEST:
            yield f"{name} has {lines} lines, more than {LONGEST}"


def no_utils(root):
    """A module's name says what is in it."""
    for name in sources(root):
        if {"util", "utils", "helpers", "misc", "common"} & set(name.split(".")):
            yield f"{name}: name it after what it does"


def no_exec(root):
    """Source text is executed in one module only."""
    for name, source in sources(root).items():
        if name in EXEC_USERS:
            continue
        for line, used in identifiers(source.tree):
            if used in {"exec", "eval"}:
                yield f"{source.where(line)}: {used} outside {', '.join(EXEC_USERS)}"


def no_ctypes(root):
    """Raw memory and C calls stay in few files."""
    for name, source in sources(root).items():
        for item in source.imports:
            if within(item.module, ("ctypes", "_ctypes", "cffi")) and name not in CTYPES_USERS:
                yield f"{source.where(item.line)}: imports {item.module}"


def no_whole_memory(root):
    """The view over the whole address space is named where it must be, in code and templates."""
    for name, source in sources(root).items():
        if name in WHOLE_MEMORY_USERS:
            continue
        for line, used in [*identifiers(source.tree), *string_words(source.tree)]:
            if used == "ALL":
                yield f"{source.where(line)}: names ALL, the view over the whole address space"


def typed_packages(root):
    """Each package tells type checkers that it is typed."""
    for package in PACKAGES:
        if (root / package).is_dir() and not (root / package / "py.typed").is_file():
            yield f"{package} has no py.typed"


def identifiers(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, alias.name
                yield node.lineno, alias.asname


def string_words(tree):
    """Each word of a string that is not a docstring: generated code is written in strings."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            for word in re.findall(r"\w+", node.value):
                yield node.lineno, word


RULES = (
    placed_modules, floors, third_parties, no_hidden_imports, no_cycles, file_lengths, no_utils,
    no_exec, no_ctypes, no_whole_memory, typed_packages,
)  # fmt: skip
