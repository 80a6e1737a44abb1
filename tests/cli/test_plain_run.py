"""``wasi-host run MODULE ARGS`` without an option: the same without what parses options."""

import os
import subprocess
import sys

import pytest

from tests.cli.test_run_command import COMMAND, ROOT, child, wat  # noqa: F401  a fixture
from tests.sandbox.programs import ARGS, BOTH, CAT, exits
from wasi_host.native.library import library

TRAPS = b'(module (memory (export "memory") 1) (func (export "_start") unreachable))'
REACTOR = b'(module (memory (export "memory") 1) (func (export "f")))'
UNKNOWN = b'(module (import "env" "f" (func)) (memory (export "memory") 1))'
BIG = b'(module (memory (export "memory") 30000) (func (export "_start")))'


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (ARGS, ["a", "--dir", "", "-x", "ä"]),
        (ARGS, []),
        (ARGS, [os.fsdecode(b"\xff")]),
        (BOTH, []),
        (CAT, []),
        (TRAPS, []),
        (REACTOR, []),
        (UNKNOWN, []),
        (BIG, []),
        (b"\x7fELF", []),
        (b"", []),
        *((exits(code), []) for code in (0, 1, 125, 255, 256, -1)),
    ],
)
def test_it_ends_says_and_writes_as_with_the_parser(source, words, wat):  # noqa: F811
    path = wat(source)
    plain, parsed = (child_with_input(*first, path, *words) for first in ([], ["--"]))
    assert plain.returncode == parsed.returncode
    assert (plain.stdout, plain.stderr) == (parsed.stdout, parsed.stderr)


def child_with_input(*words):
    return subprocess.run([*COMMAND, "run", *words], input=b"in", capture_output=True, check=False)


@pytest.mark.parametrize("module", ["", "nothing.wasm", "/", "/dev/null", "/dev/null/x"])
def test_a_module_that_cannot_be_had_is_told_as_with_the_parser(module):
    plain, parsed = child_with_input(module), child_with_input("--", module)
    assert plain.returncode == parsed.returncode != 0
    assert plain.stderr == parsed.stderr


def imported(*words):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "wasi_host", "run", *words],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


def test_it_loads_no_parser_no_filesystem_and_no_typing(wat):  # noqa: F811
    path, heavy = wat(BOTH), {"click", "typing", "wasi_host.sources"}
    if library() is not None:
        # The native part serves its calls: none is compiled from the specification.
        heavy |= {"wasi_spec.types", "wasi_spec.functions"}
    assert heavy & imported(path) == set()
    assert heavy & imported("--", path) == {"click", "typing"}


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_standard_stream_that_is_closed_stays_closed_to_the_program(closed, wat):  # noqa: F811
    plain, parsed = (
        subprocess.run(
            ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *COMMAND, "run", *first, wat(BOTH)],
            capture_output=True, check=False,
        )
        for first in ([], ["--"])
    )  # fmt: skip
    assert plain.returncode == parsed.returncode
    assert (plain.stdout, plain.stderr) == (parsed.stdout, parsed.stderr)


def test_a_shell_that_asks_for_completions_gets_them(wat):  # noqa: F811
    environment = {
        **os.environ, "_WASI_HOST_COMPLETE": "bash_complete",
        "COMP_WORDS": "wasi-host run --max", "COMP_CWORD": "2",
    }  # fmt: skip
    done = child(wat(exits(3)), env=environment)
    assert b"--max-memory" in done.stdout
