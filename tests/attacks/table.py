"""``python -m tests.attacks.table`` writes docs/attacks.md from the catalogue and the tests.

A test says by its name which case it is of, and by the fixtures it asks for what it runs on.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from tests.attacks.catalogue import CASES, SECTIONS, WITHOUT

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "attacks.md"
NAME = re.compile(r"test_([a-q])(\d\d?)_")

#: What a fixture runs a test on.
FIXTURES = {
    "place": "host by openat2, host by the walk, memory",
    "host_only": "host by openat2, host by the walk",
    "memory_only": "memory",
    "start": "engine, values",
    "backend": "engine, values",
    "large": "engine, values",
}

HEAD = """# Attacks

Each case of the catalogue, what is answered, and where it is tested. *engine*: the call comes out
of WebAssembly; *values*: it is made through the functions for other engines. Made from the tests'
names and fixtures by `python -m tests.attacks.table`."""


class Attack(NamedTuple):
    """One test function."""

    section: str
    case: int
    path: Path
    runs_on: frozenset[str]


def attacks() -> list[Attack]:
    """Return all tests that name a case."""
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if NAME.search(text):
            found += _of_file(path, ast.parse(text))
    return found


def _of_file(path: Path, tree: ast.Module) -> list[Attack]:
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    found = []
    for name in functions:
        if match := NAME.match(name):
            asked: set[str] = set()
            _fixtures(name, functions, asked)
            runs_on = [
                word for one in asked & FIXTURES.keys() for word in FIXTURES[one].split(", ")
            ]
            section, case = match[1].upper(), int(match[2])
            found.append(Attack(section, case, path, frozenset(runs_on)))
    return found


def _fixtures(name: str, functions: dict[str, ast.FunctionDef], asked: set[str]) -> None:
    """Collect the fixtures that a function asks for, through fixtures of its own file."""
    if name in functions:
        for argument in functions[name].args.args:
            if argument.arg not in asked:
                asked.add(argument.arg)
                _fixtures(argument.arg, functions, asked)


def document() -> str:
    """Return the text of docs/attacks.md."""
    of_case = defaultdict(list)
    for test in attacks():
        of_case[test.case].append(test)
    lines = [HEAD]
    section = ""
    for number, (letter, tried, answered) in enumerate(CASES, start=1):
        if letter != section:
            section = letter
            lines += [
                f"\n## {letter}. {SECTIONS[letter]}\n",
                "| case | tried | answered | tests | on |",
                "|---|---|---|---|---|",
            ]
        lines.append(f"| {number} | {tried} | {answered} | {_where(number, of_case[number])} |")
    return "\n".join(lines) + "\n"


def _where(number: int, found: list[Attack]) -> str:
    if not found:
        return f"{WITHOUT.get(number, 'none')} | "
    paths = {test.path.relative_to(ROOT / "tests").with_suffix("").as_posix() for test in found}
    order = ["engine", "values", "host by openat2", "host by the walk", "memory"]
    runs_on = frozenset.union(*(test.runs_on for test in found))
    return f"{', '.join(sorted(paths))} | {', '.join(word for word in order if word in runs_on)}"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
