"""Programs that the tests of the public face run."""

from tests.runtimes.guests import command, module, writes

_WRITE = "(drop (call $fd_write (i32.const {fd}) (i32.const 0) (i32.const 1) (i32.const 8)))"


def _vector(at, length):
    return f"(i32.store (i32.const 0) (i32.const {at})) (i32.store (i32.const 4) {length})"


#: Copies standard input to standard output.
CAT = command(
    f"""(loop $again
      {_vector(64, "(i32.const 1000)")}
      (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (if (i32.load (i32.const 8)) (then
        (i32.store (i32.const 4) (i32.load (i32.const 8)))
        {_WRITE.format(fd=1)}
        (br $again))))""",
    wasi=["fd_read", "fd_write"],
)


def _strings(name):
    return command(
        f"""(drop (call ${name}_sizes_get (i32.const 16) (i32.const 20)))
        (drop (call ${name}_get (i32.const 64) (i32.const 2000)))
        {_vector(2000, "(i32.load (i32.const 20))")} {_WRITE.format(fd=1)}""",
        wasi=[f"{name}_sizes_get", f"{name}_get", "fd_write"],
    )


#: Write the arguments or variables to standard output, each with a NUL.
ARGS, ENVIRON = _strings("args"), _strings("environ")

_OUT, _DATA = writes("out\n")
#: Writes "out" to standard output, then "err" to standard error.
BOTH = command(
    f"{_OUT} {_vector(200, '(i32.const 4)')} {_WRITE.format(fd=2)}",
    _DATA,
    '(data (i32.const 200) "err\\0a")',
    wasi=["fd_write"],
)
#: Exits with the errno of writing to standard output, or of reading from standard input.
WRITE_ERRNO = command(
    f"""{_vector(64, "(i32.const 5)")}
    (call $proc_exit
      (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))""",
    wasi=["fd_write", "proc_exit"],
)
READ_ERRNO = command(
    f"""{_vector(64, "(i32.const 5)")}
    (call $proc_exit
      (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))""",
    wasi=["fd_read", "proc_exit"],
)


def exits(code):
    """A program with an exit code."""
    return command(f"(call $proc_exit (i32.const {code}))", wasi=["proc_exit"])


def says(text):
    """A program that writes a text."""
    body, data = writes(text)
    return command(body, data, wasi=["fd_write"])


#: Writes the name of each directory it has to standard output, each with a newline.
PREOPENS = command(
    f"""(local $fd i32) (local.set $fd (i32.const 3))
    (block $end (loop $next
      (br_if $end (call $fd_prestat_get (local.get $fd) (i32.const 32)))
      (drop (call $fd_prestat_dir_name
        (local.get $fd) (i32.const 64) (i32.load (i32.const 36))))
      (i32.store8 (i32.add (i32.const 64) (i32.load (i32.const 36))) (i32.const 10))
      {_vector(64, "(i32.add (i32.const 1) (i32.load (i32.const 36)))")} {_WRITE.format(fd=1)}
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br $next)))""",
    wasi=["fd_prestat_get", "fd_prestat_dir_name", "fd_write"],
)


def _opens(flags, rights):
    return f"""(func $open (result i32) (call $path_open (i32.const 3) (i32.const 0)
      (i32.const 500) (i32.const 4) (i32.const {flags}) (i64.const {rights}) (i64.const 0)
      (i32.const 0) (i32.const 16)))"""


_FILE = '(data (i32.const 500) "file")'
#: Exits with the errno of opening "file" in the first directory for reading, or creating it.
OPEN = command(
    "(call $proc_exit (call $open))", _opens(0, 2), _FILE, wasi=["path_open", "proc_exit"]
)
CREATE = command(
    "(call $proc_exit (call $open))", _opens(1, 0x40), _FILE, wasi=["path_open", "proc_exit"]
)
#: Opens "file" until it is refused; exits with how often it was not.
OPEN_MANY = command(
    """(local $n i32)
    (loop $next (if (i32.eqz (call $open)) (then
      (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $next))))
    (call $proc_exit (local.get $n))""",
    _opens(0, 2),
    _FILE,
    wasi=["path_open", "proc_exit"],
)

#: Functions to call.
NUMBERS = module(
    '(func (export "add") (param i32 i64) (result i64)'
    " (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1)))",
    '(func (export "half") (param f64) (result f64) (f64.mul (local.get 0) (f64.const 0.5)))',
    '(func (export "pair") (result i32 i32) (i32.const 1) (i32.const 2))',
    '(func (export "nothing"))',
    '(func (export "boom") unreachable)',
    "(global $ready (mut i32) (i32.const 0))",
    '(func (export "_initialize") (global.set $ready (i32.const 7)))',
    '(func (export "ready") (result i32) (global.get $ready))',
)

#: Each says "out" first.
_SLEEPS = """(i32.store (i32.const 716) (i32.const 1))
  (i64.store (i32.const 724) (i64.const 3600000000000))
  (drop (call $poll_oneoff (i32.const 700) (i32.const 800) (i32.const 1) (i32.const 900)))"""
_READS = f"""{_vector(64, "(i32.const 5)")}
  (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))"""
_YIELDS = "(loop (drop (call $sched_yield)) (br 0))"
WASI = ["fd_write", "fd_read", "poll_oneoff", "sched_yield"]
ENDLESS = {
    "computing": command(f"{_OUT} (loop (br 0))", _DATA, wasi=WASI),
    "making calls": command(f"{_OUT} {_YIELDS}", _DATA, wasi=WASI),
    "sleeping in poll_oneoff": command(f"{_OUT} {_SLEEPS}", _DATA, wasi=WASI),
    "blocked in a read": command(f"{_OUT} {_READS} unreachable", _DATA, wasi=WASI),
    "computing in its start section": module(
        "(func $early (loop (br 0))) (start $early)", '(func (export "_start"))'
    ),
}

#: Files that are no modules, and a word that says so.
NOT_WASI_BYTES = {
    "not WebAssembly": (b"#!/bin/sh\n", "not WebAssembly"),
    "empty": (b"", "empty"),
    "a component": (b"\0asm\x0d\0\1\0" + bytes(8), "component"),
    "a corrupt module": (b"\0asm\1\0\0\0\1\xff", "not a valid module"),
    "text with an error": (b"(module (func", "text is wrong"),
    "no command": (module(), "no _start"),
}
