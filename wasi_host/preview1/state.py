"""What the calls of one instance share."""

from collections.abc import Iterable, Mapping

from wasi_host.descriptors.table import DescriptorTable
from wasi_host.world.clocks import Clocks
from wasi_host.world.randomness import Randomness
from wasi_host.world.scheduler import Scheduler


class State:
    """One instance's side of the host.

    Attributes:
        args: the command line, encoded; the program's name first.
        environ: the environment as ``NAME=value``, encoded.
        fds: the open descriptors.
        clocks: what the guest is told about time.
        scheduler: where the instance waits, and is told to stop.
        randomness: where random bytes come from.
        strict: whether a descriptor opened by path gets exactly the rights asked for
            (``rights="strict"``), instead of all that the directory can give.
    """

    __slots__ = ("args", "clocks", "environ", "fds", "randomness", "scheduler", "strict")

    def __init__(
        self,
        fds: DescriptorTable,
        args: list[bytes],
        environ: list[bytes],
        clocks: Clocks,
        scheduler: Scheduler,
        randomness: Randomness,
        strict: bool = False,
    ) -> None:
        self.fds = fds
        self.args = args
        self.environ = environ
        self.clocks = clocks
        self.scheduler = scheduler
        self.randomness = randomness
        self.strict = strict

    @property
    def native(self) -> int:
        """The address of what the native part may serve from; 0: nothing."""
        return 0

    def close(self) -> None:
        """Close all descriptors."""
        self.fds.close_all()


def guest_bytes(text: str | bytes, what: str) -> bytes:
    """Encode a text an embedder gives to a guest.

    Args:
        text: bytes are taken as they are.
        what: what the text is, for the error.

    Raises:
        TypeError: it is no text.
        ValueError: it holds a NUL, where the guest's text would end, or a lone surrogate, which
            has no UTF-8.
    """
    if isinstance(text, str):
        try:
            text = text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{what} holds a lone surrogate: {text!r}") from None
    elif not isinstance(text, bytes):
        raise TypeError(f"{what} is a str, not {text!r}")
    if b"\0" in text:
        raise ValueError(f"{what} holds a NUL: {text!r}")
    return text


def encode_args(args: Iterable[str | bytes]) -> list[bytes]:
    """Encode a command line. ValueError: an argument holds a NUL or a lone surrogate."""
    words = list(args)
    try:
        # All at once takes a third of the time, and tells whether one holds a NUL.
        encoded = "\0".join(words).encode().split(b"\0")  # type: ignore[arg-type]
        if len(encoded) == len(words):
            return encoded
    except (TypeError, UnicodeEncodeError):
        pass  # bytes among them, or one that cannot be: each on its own
    return [guest_bytes(arg, "an argument") for arg in words]


def encode_environ(environ: Mapping[str, str]) -> list[bytes]:
    """Encode an environment as ``NAME=value``, in its order.

    Raises:
        TypeError: it is no mapping of str to str.
        ValueError: a name is empty or holds ``=``, or a name or value holds a NUL or a lone
            surrogate.
    """
    if not environ:
        return []
    if not hasattr(environ, "items"):
        raise TypeError(f"env is a mapping of names to values, not {type(environ).__name__}")
    try:
        words = "\0".join([name + "=" + value for name, value in environ.items()])
        encoded = words.encode().split(b"\0")
        if len(encoded) == len(environ) and "" not in environ and "=" not in "".join(environ):
            return encoded
    except (TypeError, UnicodeEncodeError):
        pass  # each on its own tells which it is
    encoded = []
    for name, value in environ.items():
        if not name:
            raise ValueError("the name of an environment variable is empty")
        if not isinstance(name, str):
            raise TypeError(f"the name of an environment variable is a str, not {name!r}")
        if "=" in name:
            raise ValueError(f"the name of an environment variable holds '=': {name!r}")
        name_bytes = guest_bytes(name, "the name of an environment variable")
        value_bytes = guest_bytes(value, f"the environment variable {name!r}")
        encoded.append(name_bytes + b"=" + value_bytes)
    return encoded
