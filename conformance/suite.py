"""Reads test suites in the official form, and runs one of their programs in a fresh directory.

A test is a ``.wasm`` with an optional ``.json`` beside it: arguments, environment, the directory
that becomes the guest's ``/``, and what is expected. Both forms of the JSON are read, the older
flat one and the list of operations.
Source: WebAssembly/wasi-testsuite, branch prod/testsuite-base, ``doc/specification.md``. Three
more keys are ours: ``mounts``, ``sockets``, ``reactor`` (``conformance/programs/README.md``).
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from conformance import sockets
from wasi_host.errors import ProcExit
from wasi_host.results import TimeoutExpired
from wasi_host.sandbox import Sandbox
from wasi_host.sources import HostDir, MemoryFS

_RUN_KEYS: Final = {"args", "env", "root"}
#: Seconds after which a test is ended.
TIMEOUT: Final = 30.0


class Case(NamedTuple):
    """One test and what it expects; None: not looked at."""

    name: str
    wasm: Path
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}  # noqa: RUF012  never changed
    root: Path | None = None
    exit_code: int = 0
    stdout: str | None = None
    stderr: str | None = None
    mounts: dict[str, Path] = {}  # noqa: RUF012  never changed
    sockets: tuple[str, ...] = ()
    reactor: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What became of a test; ``flaw`` is empty where it passed."""

    exit_code: int | None
    stdout: str
    stderr: str
    flaw: str


def load(suite: Path, target: str = "wasm32-wasip1") -> Iterator[Case]:
    """Yield the tests of one target, by directory and name.

    Raises:
        FileNotFoundError: there are none below ``suite``.
    """
    modules = sorted(suite.glob(f"tests/*/testsuite/{target}/*.wasm"))
    if not modules:
        raise FileNotFoundError(f"{suite}: no tests/*/testsuite/{target}/*.wasm in there")
    for wasm in modules:
        yield _case(wasm, f"{wasm.parts[-4]}/{wasm.stem}")


def load_directory(directory: Path) -> Iterator[Case]:
    """Yield the tests that lie in one directory, by name.

    Raises:
        FileNotFoundError: there are none.
    """
    modules = sorted(directory.glob("*.wasm"))
    if not modules:
        raise FileNotFoundError(f"{directory}: no *.wasm in there")
    for wasm in modules:
        yield _case(wasm, wasm.stem)


def _case(wasm: Path, name: str) -> Case:
    description = wasm.with_suffix(".json")
    spec: dict[str, Any] = json.loads(description.read_text()) if description.exists() else {}
    if "operations" in spec:
        spec = _flatten(spec["operations"])
    root = spec.get("root")
    return Case(
        name,
        wasm,
        tuple(spec.get("args", ())),
        dict(spec.get("env", {})),
        wasm.parent / root if root else None,
        spec.get("exit_code", 0),
        spec.get("stdout"),
        spec.get("stderr"),
        {guest: wasm.parent / path for guest, path in spec.get("mounts", {}).items()},
        tuple(spec.get("sockets", ())),
        tuple(spec.get("reactor", ())),
    )


def _flatten(operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the flat form of a list of operations that only runs, reads and waits."""
    flat: dict[str, Any] = {}
    for operation in operations:
        kind = operation.get("type", "run")
        if kind == "run":
            flat.update({key: operation[key] for key in _RUN_KEYS & operation.keys()})
        elif kind == "wait":
            flat["exit_code"] = operation.get("exit_code", 0)
        elif kind == "read":
            flat[operation.get("id", "stdout")] = operation.get("payload", "")
        else:
            raise ValueError(f"operation {kind!r} is not known")
    return flat


def run_case(
    case: Case, *, filesystem: str = "host", rights: str = "grant", command: bool = False
) -> Outcome:
    """Run one test in copies of its directories.

    Args:
        case: the test.
        filesystem: ``"host"`` or ``"memory"``.
        rights: ``"grant"`` or ``"strict"``.
        command: through ``python -m wasi_host run`` instead of ``wasi_host.run``; not for
            ``sockets`` and ``reactor``.
    """
    with tempfile.TemporaryDirectory(prefix="wasi-suite-") as scratch:
        places = {} if case.root is None else {"/": case.root}
        given = {
            guest: _copy(source, Path(scratch) / str(number))
            for number, (guest, source) in enumerate((places | case.mounts).items())
        }
        try:
            if command:
                done = _by_command(case, given, filesystem, rights)
            else:
                done = _in_process(case, given, filesystem, rights)
        except (TimeoutExpired, subprocess.TimeoutExpired) as expired:
            return Outcome(None, str(expired.stdout or ""), str(expired.stderr or ""), "timeout")
    return Outcome(done.returncode, done.stdout, done.stderr, _flaw(case, done))


def _copy(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, symlinks=True)
    for left_over in target.rglob("*.cleanup"):
        shutil.rmtree(left_over) if left_over.is_dir() else left_over.unlink()
    return target


def _in_process(
    case: Case, given: dict[str, Path], filesystem: str, rights: str
) -> "subprocess.CompletedProcess[str]":
    source = HostDir if filesystem == "host" else MemoryFS
    with sockets.open_for(case.sockets) as granted:
        sandbox = Sandbox(
            case.wasm,
            dirs={guest: source(path) for guest, path in given.items()},
            env=case.env,
            rights=rights,
            sockets=granted,
        )
        if case.reactor:
            return _call_in_turn(sandbox, case)
        return sandbox.run(
            case.args,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )


def _call_in_turn(sandbox: Sandbox, case: Case) -> "subprocess.CompletedProcess[str]":
    """Call the functions of a reactor, in this order, on one instance."""
    captured: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    code = 0
    try:
        with sandbox.instantiate(
            case.args,
            stdin=subprocess.DEVNULL,
            stdout=captured["stdout"].append,
            stderr=captured["stderr"].append,
        ) as instance:
            for name in case.reactor:
                instance.call(name)
    except ProcExit as ended:
        code = ended.code
    texts = {name: b"".join(parts).decode() for name, parts in captured.items()}
    return subprocess.CompletedProcess([case.name, *case.args], code, **texts)


def _by_command(
    case: Case, given: dict[str, Path], filesystem: str, rights: str
) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "wasi_host", "run"]
    for guest, path in given.items():
        words += ["--dir" if filesystem == "host" else "--mem-dir", f"{path}::{guest}"]
    for name, value in case.env.items():
        words += ["--env", f"{name}={value}"]
    if rights == "strict":
        words.append("--strict-rights")
    return subprocess.run(
        [*words, str(case.wasm), *case.args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def _flaw(case: Case, done: "subprocess.CompletedProcess[str]") -> str:
    if done.returncode != case.exit_code:
        return f"exit code {done.returncode}, expected {case.exit_code}"
    for stream, expected in (("stdout", case.stdout), ("stderr", case.stderr)):
        got = getattr(done, stream)
        if expected is not None and got != expected:
            return f"{stream} is {got!r}, expected {expected!r}"
    return ""
