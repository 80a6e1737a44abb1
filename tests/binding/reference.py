"""The 46 calls by interpreting the table at each call: what the compiled shims must equal.

Nothing here comes from ``wasi_host.binding``. Record layouts are written out by hand. The host is
asked for values, as the shims ask it, but always through the plain methods that return bytes.
"""

import errno
import struct

from wasi_host.errors import WasiError
from wasi_spec import Errno, types
from wasi_spec.types import Enum, Flags, Int, List, Pointer, String

RECORDS = {
    "fdstat": [(0, "B"), (2, "H"), (8, "Q"), (16, "Q")],
    "filestat": [(0, "Q"), (8, "Q"), (16, "B"), *((at, "Q") for at in range(24, 64, 8))],
    "prestat": [(0, "B"), (4, "I")],
    "event": [(0, "Q"), (8, "H"), (10, "B"), (16, "Q"), (24, "H")],
}
SIZES = {"fdstat": 24, "filestat": 64, "prestat": 8}
ORDER = ["FAULT", "INVAL", "text"]


class Refused(Exception):
    """The call is answered before the host hears of it."""


def call(row, memory, numbers, host):
    """Make one call; return its errno. What is no errno comes out as it was raised."""
    try:
        Call(row, memory, numbers).make(host)
    except Refused as refused:
        return Errno[refused.args[0]]
    except WasiError as error:
        return error.errno
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "EIO")[1:].replace("2BIG", "TOOBIG")
        return Errno.__members__.get(name, Errno.IO)
    return Errno.SUCCESS


class Call:
    def __init__(self, row, memory, numbers):
        self.row, self.memory = row, memory
        self.flaws = {kind: [] for kind in ORDER}
        self.arguments, self.vectors, self.buffer = [], None, None
        self.raw = list(numbers)
        left = iter(numbers)
        for param in row.params:
            self.take(param, next(left), left)
        self.results = [(self.inside(next(left), self.width(r.type)), r) for r in row.results]

    def inside(self, at, size):
        if size and at + size > len(self.memory):
            self.flaws["FAULT"].append("FAULT")
        return at

    def width(self, kind):
        return SIZES.get(kind.name) or getattr(kind, "bits", 32) // 8

    def number(self, at, code):
        return struct.unpack_from("<" + code, self.memory, at)[0]

    def store(self, at, code, value):
        data = struct.pack("<" + code, value)
        self.memory[at : at + len(data)] = data

    def take(self, param, number, left):
        kind = param.type
        if isinstance(kind, String):
            self.take_path(self.inside(number, length := next(left)), length)
        elif isinstance(kind, List):
            self.take_vectors(number, next(left))
            self.arguments.append(kind is types.CIOVECS)  # replaced by data or size below
        elif isinstance(kind, Pointer):
            self.buffer = number
        elif self.buffer is not None and param.name.endswith("_len"):
            self.inside(self.buffer, number)
            self.arguments.append(number)
        else:
            self.take_scalar(kind, number)

    def take_scalar(self, kind, number):
        if isinstance(kind, Int) and kind.signed and number >> (kind.bits - 1):
            number -= 1 << kind.bits
        if isinstance(kind, Enum) and number not in set(kind.values):
            self.flaws["INVAL"].append("INVAL")
        if isinstance(kind, Flags):
            known = 0
            for bit in kind.values or ():
                known |= int(bit)
            if number & ~known and kind is not types.RIGHTS:
                self.flaws["INVAL"].append("INVAL")
            number &= known
        self.arguments.append(number)

    def take_path(self, at, length):
        data = bytes(self.memory[at : at + min(length, 4096)])
        self.arguments.append(data.decode("utf-8", "replace"))
        if length > 4095:
            self.flaws["text"].append("NAMETOOLONG")
        elif data.decode("utf-8", "ignore").encode() != data:
            self.flaws["text"].append("ILSEQ")
        elif 0 in data:
            self.flaws["text"].append("INVAL")

    def take_vectors(self, at, count):
        self.inside(at, 8 * count)
        self.vectors, room = [], min(len(self.memory), 16 << 20)
        if self.flaws["FAULT"]:
            return
        seen = [struct.unpack_from("<II", self.memory, at + 8 * n) for n in range(min(count, 1024))]
        for where, length in seen:
            self.inside(where, length)
        if count > 1024 and not any(length for _, length in seen):
            self.flaws["INVAL"].append("INVAL")
        if len([length for _, length in seen if length]) < 2:
            room = 1 << 32
        for where, length in seen:
            self.vectors.append((where, min(length, room)))
            room -= self.vectors[-1][1]

    def make(self, host):
        special = getattr(self, "make_" + self.row.name, None)
        if special:
            return special(host)
        for kind in ORDER:
            for flaw in self.flaws[kind]:
                raise Refused(flaw)
        if self.vectors is not None:
            room = sum(length for _, length in self.vectors)
            data = b"".join(self.memory[at : at + length] for at, length in self.vectors)
            self.arguments[1] = data if self.arguments[1] is True else room
        answer = getattr(host, self.row.name)(*self.arguments)
        values = list(answer) if len(self.results) > 1 else [answer]
        if self.buffer is not None:
            self.memory[self.buffer : self.buffer + len(answer)] = answer
            values = [len(answer)]
        elif self.vectors is not None and isinstance(values[0], bytes):
            data, values[0] = values[0], len(values[0])
            for at, length in self.vectors:
                part, data = data[:length], data[length:]
                self.memory[at : at + len(part)] = part
        for (at, result), value in zip(self.results, values, strict=False):
            self.encode(at, result.type, value)

    def encode(self, at, kind, value):
        if kind.name in RECORDS:
            for (offset, code), item in zip(RECORDS[kind.name], value, strict=True):
                self.store(at + offset, code, item)
        else:
            self.store(at, {1: "B", 2: "H", 4: "I", 8: "Q"}[self.width(kind)], value)

    def make_strings(self, strings):
        blob = b"".join(text + b"\0" for text in strings)
        self.inside(self.raw[0], 4 * len(strings))
        self.inside(self.raw[1], len(blob))
        if self.flaws["FAULT"]:
            raise Refused("FAULT")
        self.memory[self.raw[1] : self.raw[1] + len(blob)] = blob
        at = self.raw[1]
        for place, text in enumerate(strings):
            self.store(self.raw[0] + 4 * place, "I", at)
            at += len(text) + 1

    def make_args_get(self, host):
        self.make_strings(host.args_get())

    def make_environ_get(self, host):
        self.make_strings(host.environ_get())

    def make_random_get(self, host):
        at, length = self.raw
        if self.flaws["FAULT"]:
            raise Refused("FAULT")
        while length:
            data = host.random_get(min(length, 65536))
            self.memory[at : at + len(data)] = data
            at, length = at + len(data), length - len(data)

    def make_poll_oneoff(self, host):
        given, events, count, result = self.raw
        if not count:
            raise Refused("INVAL")
        for at, size in ((given, 48 * count), (events, 32 * count), (result, 4)):
            if at + size > len(self.memory):
                raise Refused("FAULT")
        if count > 4096:
            raise Refused("INVAL")
        happened = host.poll_oneoff([self.subscription(given + 48 * n) for n in range(count)])
        for place, event in enumerate(happened):
            self.encode(events + 32 * place, types.EVENT, event)
        self.store(result, "I", len(happened))

    def subscription(self, at):
        userdata, tag = self.number(at, "Q"), self.number(at + 8, "B")
        if tag in (1, 2):
            return userdata, tag, self.number(at + 16, "I")
        clock, flags = self.number(at + 16, "I"), self.number(at + 40, "H")
        if tag or clock > 3 or flags > 1:
            raise Refused("INVAL")
        return userdata, clock, self.number(at + 24, "Q"), self.number(at + 32, "Q"), flags
