"""A valid call of every function of the table, and an instance to make it in."""

from tests.descriptors.fakes import FakeDirectory
from wasi_host.descriptors.stream import standard_stream
from wasi_host.preview1 import Preview1
from wasi_host.world.streams import BytesInput, Capture
from wasi_spec.functions import FUNCTIONS
from wasi_spec.records import SubscriptionFd
from wasi_spec.types import FD, Flags, Handle, Int, String
from wasi_spec.values import host_params

ROWS = {row.name: row for row in FUNCTIONS}

#: Functions with a descriptor, and the parameters that are one.
FD_PARAMS = [
    (row.name, param.name) for row in FUNCTIONS for param in row.params if param.type is FD
]

#: Values that a function needs other than the first that its type allows.
VALUES = {
    ("fd_allocate", "len"): 1,
    ("path_rename", "new_path"): "other",
    ("path_open", "path"): "f",
}


def host_parameters(row):
    """The names of the parameters a row's method has, in order."""
    return [param.name for param in host_params(row)]


def arguments(row, **given):
    """A valid argument for each parameter of a row's method; ``given`` by their names."""
    values = []
    by_name = {param.name: param.type for param in row.params}
    for name in host_parameters(row):
        if name in given:
            values.append(given[name])
        elif (row.name, name) in VALUES:
            values.append(VALUES[row.name, name])
        elif name == "data":
            values.append(b"x")
        elif name == "subscriptions":
            values.append([SubscriptionFd(0, 1, 4)])
        elif name in ("size", "buf_len", "path_len"):
            values.append(100)
        else:
            values.append(_first(by_name[name]))
    return values


def _first(kind):
    if isinstance(kind, Handle):
        return 3
    if isinstance(kind, String):
        return "name"
    assert isinstance(kind, Int | Flags) or kind.name.endswith(("advice", "whence", "id", "signal"))
    return 0


def an_instance(directory=None, **options):
    """0, 1, 2: captured streams; 3: a directory with a file ``f`` and a directory ``d``."""
    if directory is None:
        directory = FakeDirectory({"f": bytearray(b"hello"), "d": FakeDirectory()})
    stdio = [
        standard_stream(BytesInput(b"input"), 0),
        standard_stream(Capture(), 1),
        standard_stream(Capture(), 2),
    ]
    return Preview1.for_run(stdio, [("/", directory)], **options)
