"""Reads WASI test suites in the official layout: a ``.wasm`` with an optional ``.json`` beside it.

Both forms of the JSON are read, the older flat one and the list of operations; the older one
becomes operations too. A directory of tests may have a ``manifest.json`` with its name and the
WASI version it is for.
Source: WebAssembly/wasi-testsuite, ``doc/specification.md``. Three more keys are ours: ``mounts``,
``sockets``, ``reactor`` (``conformance/programs/README.md``).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

#: The version of WASI that is tested here, in the suite's spelling.
VERSION: Final = "wasm32-wasip1"
COMMAND_WORLD: Final = "wasi:cli/command"

_FLAT_KEYS: Final = {"args", "root", "env", "exit_code", "stderr", "stdout"}
_OPERATION_KEYS: Final = {"operations", "proposals", "world", "servers"}


class SuiteError(ValueError):
    """A suite, or the description of a test, that cannot be read; the message names the file."""


class Run(NamedTuple):
    """Start the program; ``root`` becomes its ``/``."""

    args: tuple[str, ...] = ()
    env: dict[str, str] = {}  # noqa: RUF012  never changed
    root: Path | None = None


class Wait(NamedTuple):
    """Wait for its end, and expect this exit code."""

    exit_code: int = 0


class Read(NamedTuple):
    """Expect this to come next on ``stdout`` or ``stderr``."""

    id: str
    payload: str


class Write(NamedTuple):
    """Write to its standard input."""

    id: str
    payload: str


class Connect(NamedTuple):
    """Connect to the ``host:port`` it writes to its standard output."""

    id: str


class Send(NamedTuple):
    """Send on a connection."""

    id: str
    payload: str


class Receive(NamedTuple):
    """Expect this to come next on a connection."""

    id: str
    payload: str


class Kill(NamedTuple):
    """Send it a signal."""

    signal: str


class Unsupported(NamedTuple):
    """An operation that no preview 1 program needs (``request``)."""

    kind: str


Operation = Run | Wait | Read | Write | Connect | Send | Receive | Kill | Unsupported


class Case(NamedTuple):
    """One test: a program, and what is done with it and expected of it.

    Attributes:
        suite: the suite's name, by which expectation files call it.
        name: the test's name within the suite.
        label: a short name, unique over the official suites: ``rust/path_link``.
        mounts: further preopens, guest path -> directory; this and the next two are keys of ours.
        sockets: the sockets that the program is given (``conformance.sockets``).
        reactor: functions to call in turn instead of ``_start``.
    """

    suite: str
    name: str
    label: str
    wasm: Path
    operations: tuple[Operation, ...] = (Run(), Wait())
    proposals: tuple[str, ...] = ()
    world: str = COMMAND_WORLD
    mounts: dict[str, Path] = {}  # noqa: RUF012  never changed
    sockets: tuple[str, ...] = ()
    reactor: tuple[str, ...] = ()


def load(suite: Path, version: str = VERSION) -> list[Case]:
    """Return the tests in a directory, or in the suites below it, by suite and name.

    Args:
        suite: a directory with ``.wasm`` files in it; or one that has below it directories with
            a ``manifest.json``, or with the version as name: then each of them is a suite.
        version: suites for other versions of WASI are left out.

    Raises:
        SuiteError: there are none, or a description is wrong.
    """
    if not suite.is_dir():
        raise SuiteError(f"{suite}: no such directory")
    flat = any(suite.glob("*.wasm"))
    directories = [suite] if flat else sorted({wasm.parent for wasm in suite.rglob("*.wasm")})
    cases: list[Case] = []
    for directory in directories:
        if flat or (directory / "manifest.json").exists() or directory.name == version:
            cases += _suite(directory, version)
    if not cases:
        raise SuiteError(f"{suite}: no .wasm in there that is a test for {version}")
    return cases


def _suite(directory: Path, version: str) -> Iterator[Case]:
    name, own_version = _manifest(directory, version)
    if own_version != version:
        return
    parts = [part for part in directory.resolve().parts if part not in (version, "testsuite")]
    for wasm in sorted(directory.glob("*.wasm")):
        yield _case(wasm, name, parts[-1])


def _manifest(directory: Path, version: str) -> tuple[str, str]:
    """Return a suite's name and version."""
    name = str(directory.parent if directory.name == version else directory)
    path = directory / "manifest.json"
    if not path.exists():
        return name, version
    manifest = _read_json(path)
    return str(manifest.get("name", name)), str(manifest.get("version", version))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{path}: {error}") from None
    if not isinstance(value, dict):
        raise SuiteError(f"{path}: an object is expected, not {type(value).__name__}")
    return value


def _case(wasm: Path, suite: str, group: str) -> Case:
    case = Case(suite, wasm.stem, f"{group}/{wasm.stem}", wasm)
    path = wasm.with_suffix(".json")
    if not path.exists():
        return case
    spec = _read_json(path)
    try:
        if spec.keys() & _OPERATION_KEYS:
            if mixed := sorted(spec.keys() & _FLAT_KEYS):
                raise ValueError(f"both forms at once: {mixed} beside operations")
            given = spec.get("operations", [{"type": "run"}, {"type": "wait"}])
            operations = tuple(_operation(wasm.parent, item) for item in given)
        else:
            operations = tuple(_from_flat(wasm.parent, spec))
        _check_order(operations)
        return case._replace(
            operations=operations,
            proposals=_texts(spec, "proposals"),
            world=spec.get("world", COMMAND_WORLD),
            mounts={
                guest: wasm.parent / directory
                for guest, directory in _text_pairs(spec, "mounts").items()
            },
            sockets=_texts(spec, "sockets"),
            reactor=_texts(spec, "reactor"),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise SuiteError(f"{path}: {error}") from None


def _from_flat(directory: Path, spec: dict[str, Any]) -> Iterator[Operation]:
    yield _run(directory, spec)
    for stream in ("stdout", "stderr"):
        if spec.get(stream) is not None:
            yield Read(stream, _text(spec, stream))
    yield _wait(spec)


def _operation(directory: Path, item: dict[str, Any]) -> Operation:
    match item.get("type"):
        case "run":
            return _run(directory, item)
        case "wait":
            return _wait(item)
        case "read":
            return Read(_text(item, "id", "stdout"), _text(item, "payload", ""))
        case "write":
            return Write(_text(item, "id", "stdin"), _text(item, "payload", ""))
        case "connect":
            if item.get("protocol_type", "tcp") != "tcp":
                raise ValueError(f"connect: {item['protocol_type']!r} is not supported")
            return Connect(_text(item, "id", "server"))
        case "send":
            return Send(_text(item, "id"), _text(item, "payload", ""))
        case "recv":
            return Receive(_text(item, "id"), _text(item, "payload", ""))
        case "kill":
            return Kill(_text(item, "signal", "SIGTERM"))
        case "request":
            return Unsupported("request")
        case kind:
            raise ValueError(f"operation {kind!r} is not known")


def _run(directory: Path, item: dict[str, Any]) -> Run:
    root = directory / _text(item, "root") if item.get("root") else None
    return Run(_texts(item, "args"), _text_pairs(item, "env"), root)


def _wait(item: dict[str, Any]) -> Wait:
    code = item.get("exit_code", 0)
    if not isinstance(code, int):
        raise TypeError(f"exit_code is a number, not {code!r}")
    return Wait(code)


def _text(item: dict[str, Any], key: str, default: str | None = None) -> str:
    value = item.get(key, default)
    if not isinstance(value, str):
        raise TypeError(f"{key} is a text, not {value!r}")
    return value


def _texts(item: dict[str, Any], key: str) -> tuple[str, ...]:
    values = item.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{key} is a list of texts, not {values!r}")
    return tuple(values)


def _text_pairs(item: dict[str, Any], key: str) -> dict[str, str]:
    pairs = item.get(key) or {}
    if not isinstance(pairs, dict) or not all(isinstance(value, str) for value in pairs.values()):
        raise TypeError(f"{key} maps texts to texts, not {pairs!r}")
    return dict(pairs)


def _check_order(operations: tuple[Operation, ...]) -> None:
    """Raise ValueError where an operation comes before what it needs, or twice."""
    running = False
    readable, connections = {"stdout", "stderr"}, set[str]()
    for operation in operations:
        kind = type(operation).__name__.lower()
        if running is isinstance(operation, Run):
            raise ValueError(f"{kind}: {'it runs already' if running else 'nothing runs'}")
        match operation:
            case Run():
                running = True
            case Wait():
                running = False
                connections.clear()
            case Read(name) if name not in readable:
                raise ValueError(f"read: {name!r} is neither stdout nor stderr")
            case Write(name) if name != "stdin":
                raise ValueError(f"write: {name!r} is not stdin")
            case Connect(name):
                if name in connections:
                    raise ValueError(f"connect: there is a connection {name!r} already")
                connections.add(name)
            case Send(name) | Receive(name) if name not in connections:
                raise ValueError(f"{kind}: there is no connection {name!r}")
    if running:
        raise ValueError("the last run has no wait")
