"""How a traced call reads: as a line like strace's, and as an object for JSON.

All names come from the table of the specification: the parameters', the flags', the fields'.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from wasi_spec.errno import Errno
from wasi_spec.functions import FUNCTIONS, Function
from wasi_spec.numbers import (
    ALL_RIGHTS,
    DIRECTORY_RIGHTS,
    FILE_RIGHTS,
    SOCKET_RIGHTS,
    STREAM_RIGHTS,
    Eventtype,
)
from wasi_spec.records import DIRENT, SubscriptionClock
from wasi_spec.rights import Rights
from wasi_spec.types import (
    CIOVECS,
    CLOCKID,
    EVENTTYPE,
    IOVECS,
    POINTER_U8,
    PRESTAT,
    RIGHTS,
    SUBCLOCKFLAGS,
    Enum,
    Flags,
    Handle,
    Record,
    Type,
)
from wasi_spec.values import host_params, host_results

#: Bytes of data and items of lists that are shown.
SHOWN_BYTES: Final = 32
SHOWN_ITEMS: Final = 16
#: Sets of rights with more names than this are shown by what is missing, or as a number.
_SHOWN_RIGHTS: Final = 4
_RIGHTS_OF: Final = {
    "STREAM_RIGHTS": STREAM_RIGHTS,
    "SOCKET_RIGHTS": SOCKET_RIGHTS,
    "FILE_RIGHTS": FILE_RIGHTS,
    "DIRECTORY_RIGHTS": DIRECTORY_RIGHTS,
    "ALL_RIGHTS": ALL_RIGHTS,
}


class Cut(NamedTuple):
    """The head of bytes, and how many there were."""

    head: bytes
    length: int


class Items(NamedTuple):
    """The first items of a list, and how many there were."""

    first: tuple[object, ...]
    total: int


class Ended(NamedTuple):
    """A call that did not return: what ended the run."""

    how: str


class Entry(NamedTuple):
    """One traced call.

    Attributes:
        number: from 1, over the calls that are shown.
        function: its row.
        arguments: values, long ones cut (``cut``).
        paths: what each descriptor among the arguments was then, by parameter; and the opened
            one, by result.
        outcome: the value, the ``Errno``, or ``Ended``.
        ns: how long it took.
    """

    number: int
    function: Function
    arguments: tuple[object, ...]
    paths: Mapping[str, str]
    outcome: object
    ns: int

    def __reduce__(self) -> tuple[Any, ...]:
        # By name: a copy of the row would have types that are no longer the table's own.
        return _entry_of, (self.function.name, self._replace(function=_NO_FUNCTION)[:])


_FUNCTIONS: Final = {function.name: function for function in FUNCTIONS}
_NO_FUNCTION: Final = Function("", "", "", ())


def _entry_of(name: str, fields: tuple[Any, ...]) -> Entry:
    return Entry(*fields)._replace(function=_FUNCTIONS[name])


def cut(value: object) -> object:
    """Return what is kept of a value: bytes by their head, lists by their first items."""
    if isinstance(value, bytes | bytearray | memoryview):
        return Cut(bytes(value[:SHOWN_BYTES]), len(value))
    if type(value) is list:
        return Items(tuple(map(cut, value[:SHOWN_ITEMS])), len(value))
    if type(value) is tuple:
        return tuple(map(cut, value))
    return value


class Directory(NamedTuple):
    """What is kept of a listing: its first names, and how many bytes and names there were."""

    names: tuple[str, ...]
    total: int
    length: int


def listing(data: bytes) -> Directory:
    """Return what is kept of encoded directory entries, the last of which may be cut."""
    names, total, at = [], 0, 0
    while at + DIRENT.size <= len(data):
        _, _, length, _ = DIRENT.unpack_from(data, at)
        name = data[at + DIRENT.size : at + DIRENT.size + length]
        if total < SHOWN_ITEMS:
            names.append(name.decode("utf-8", "replace"))
        total += 1
        at += DIRENT.size + length
    return Directory(tuple(names), total, len(data))


def line(entry: Entry) -> str:
    """Return a call as strace would show it, without a newline."""
    words = [
        _text(param.type, value, entry.paths.get(param.name))
        for param, value in zip(host_params(entry.function), entry.arguments, strict=True)
    ]
    returned, shown, place = _result(entry)
    if shown is not None:
        words.insert(len(words) if place is None else place, shown)
    return f"{entry.function.name}({', '.join(words)}) = {returned} <{entry.ns / 1e9:.6f}>"


def _result(entry: Entry) -> tuple[str, str | None, int | None]:
    """Return what follows the ``=``; what stands among the arguments; and where, if not last."""
    results = host_results(entry.function)
    outcome: Any = entry.outcome
    if isinstance(outcome, Ended):
        return f"? {outcome.how}", None, None
    if isinstance(outcome, Errno):
        return outcome.name, None, None
    if not results:
        return "0", None, None
    first = results[0]
    values = outcome if len(results) > 1 else (outcome,)
    if first.type in (IOVECS, POINTER_U8):
        head = values[0]
        rest = "".join(
            f", {_text(result.type, value)}"
            for result, value in zip(results[1:], values[1:], strict=True)
        )
        counted = str(head.length) if entry.function.results else "0"
        return counted + rest, _text(first.type, head), _place_of_length(entry.function)
    if isinstance(first.type, Record) or first.type is PRESTAT:
        return "0", _text(first.type, outcome), None
    if isinstance(outcome, Items):  # of strings, of events
        counted = str(outcome.total) if entry.function.results else "0"
        return counted, _text(first.type, outcome), None
    texts = [_text(result.type, value, entry.paths.get(result.name))
             for result, value in zip(results, values, strict=True)]  # fmt: skip
    if len(texts) > 1:
        texts = [f"{result.name}={text}" for result, text in zip(results, texts, strict=True)]
    return ", ".join(texts), None, None


def _place_of_length(function: Function) -> int:
    """Return the place of the length of the buffer that a call fills: the data stands before."""
    for place, param in enumerate(host_params(function)):
        if param.name in ("size", "buf_len", "path_len"):
            return place
    return 0


def _text(kind: Type, value: Any, path: str | None = None) -> str:  # noqa: ANN401  any value
    if isinstance(value, Directory):
        names = " ".join(map(quoted, value.names))
        more = "..." if value.total > len(value.names) else ""
        return f"/* {value.total} entries: {names}{more} */" if value.total else "/* no entries */"
    if isinstance(value, Cut):
        text = quoted(value.head) + ("..." if value.length > len(value.head) else "")
        return f"{text}, {value.length}" if kind is CIOVECS else text
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Items):
        return _items(kind, value)
    if isinstance(value, tuple):
        if isinstance(kind, Record):
            return _record(kind, value)
        if kind is PRESTAT:
            return f"{{DIR, pr_name_len={value[1]}}}"
        return _subscription_or_event(value)
    if isinstance(kind, Handle):
        return str(value) if path is None else f"{value}<{quoted(path)[1:-1]}>"
    if isinstance(kind, Enum | Flags):
        return "|".join(names_of(kind, value)) or "0"
    return str(value)


def _record(kind: Record, values: Sequence[int]) -> str:
    fields = zip(kind.fields, values, strict=True)
    return "{" + ", ".join(f"{f.name}={_text(f.type, value)}" for f, value in fields) + "}"


def _items(kind: Type, items: Items) -> str:
    texts = [_text(kind, value) for value in items.first]
    return "[" + ", ".join(texts) + ("..." if items.total > len(texts) else "") + "]"


def _subscription_or_event(value: tuple[int, ...]) -> str:
    if isinstance(value, SubscriptionClock):
        moment = f"{value.timeout} ns"
        if value.flags:
            moment = f"{'|'.join(names_of(SUBCLOCKFLAGS, value.flags))} {moment}"
        return f"{{CLOCK, {_text(CLOCKID, value.id)}, {moment}}}"
    if len(value) == 3:
        return f"{{{_text(EVENTTYPE, value[1])}, {value[2]}}}"
    _, error, happened, nbytes, _ = value
    word = "" if happened == Eventtype.CLOCK else f", {nbytes} bytes"
    failed = "" if error == Errno.SUCCESS else f", {Errno(error).name}"
    return f"{{{_text(EVENTTYPE, happened)}{word}{failed}}}"


def names_of(kind: Enum | Flags, value: int) -> list[str]:
    """Return the names of an enumeration's value, or of the bits of a set; unknown ones as hex."""
    if isinstance(kind, Enum):
        try:
            return [kind.values(value).name]
        except ValueError:
            return [str(value)]
    if kind is RIGHTS:
        return _rights(value)
    bits = [bit for bit in kind.values or () if value & bit]
    rest = value & ~sum(int(bit) for bit in bits)
    return [bit.name or "" for bit in bits] + ([hex(rest)] if rest else [])


def _rights(value: int) -> list[str]:
    """Return the names of rights, or all of a kind's rights but some, whichever is shorter."""
    value &= ALL_RIGHTS
    names = have = _right_names(value)
    shortest = len(have) if len(have) > _SHOWN_RIGHTS else 0
    for kind, rights in _RIGHTS_OF.items():
        lack = rights & ~value
        if not value & ~rights and lack.bit_count() < shortest:
            names = [f"{kind}&~({'|'.join(_right_names(lack))})" if lack else kind]
            shortest = lack.bit_count()
    return names


def _right_names(value: int) -> list[str]:
    return [bit.name for bit in Rights if value & bit and bit.name is not None]


_ESCAPES: Final = {ord('"'): '\\"', ord("\\"): "\\\\", 10: "\\n", 13: "\\r", 9: "\\t"}


def quoted(text: str | bytes) -> str:
    """Return a text in quotes, on one line and in ASCII or letters: no terminal is steered."""
    if isinstance(text, bytes):
        shown = "".join(
            _ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}")
            for byte in text
        )
    else:
        shown = "".join(
            _ESCAPES.get(ord(letter))
            or (letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}")
            for letter in text
        )
    return f'"{shown}"'


def as_object(entry: Entry) -> dict[str, object]:
    """Return a call as an object for JSON."""
    params, results = host_params(entry.function), host_results(entry.function)
    outcome: Any = entry.outcome
    errno, ended, result = "SUCCESS", None, None
    if isinstance(outcome, Errno):
        errno = outcome.name
    elif isinstance(outcome, Ended):
        ended = outcome.how
    elif results:
        values = outcome if len(results) > 1 else (outcome,)
        result = {r.name: _plain(r.type, v) for r, v in zip(results, values, strict=True)}
    made: dict[str, object] = {
        "number": entry.number,
        "call": entry.function.name,
        "arguments": {
            param.name: _plain(param.type, value)
            for param, value in zip(params, entry.arguments, strict=True)
        },
        "paths": dict(entry.paths),
        "errno": None if ended else errno,
        "result": result,
        "ns": entry.ns,
    }
    if ended:
        made["ended"] = ended
    return made


def _plain(kind: Type, value: Any) -> object:  # noqa: ANN401  any value
    if isinstance(value, Cut):
        return {"head": quoted(value.head)[1:-1], "length": value.length}
    if isinstance(value, Items):
        return [_plain(kind, item) for item in value.first]
    if isinstance(value, tuple):
        if isinstance(kind, Record):
            fields = zip(kind.fields, value, strict=True)
            return {field.name: _plain(field.type, item) for field, item in fields}
        return value._asdict() if hasattr(value, "_asdict") else list(value)
    if kind is RIGHTS:
        return _right_names(value)
    if isinstance(kind, Enum):
        return names_of(kind, value)[0]
    return names_of(kind, value) if isinstance(kind, Flags) else value
