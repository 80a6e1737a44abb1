"""Tests in a child process: what they test ends the process where it goes wrong."""

import subprocess
import sys

PRELUDE = """
import faulthandler, signal, sys, threading
import wasi_host
SOURCE = b'''(module (memory (export "memory") 1)
  (func $count (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
      (else (i32.add (i32.const 1) (call $count (i32.sub (local.get 0) (i32.const 1)))))))
  (func (export "count") (param i32) (result i32) (call $count (local.get 0)))
  (func $endless (result i64) (i64.add (call $endless) (call $endless)))
  (func (export "endless") (drop (call $endless)))
  (func (export "outside") (drop (i32.load (i32.const 100000))))
  (func (export "zero") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0))))'''
def run(name, *words, **options):
    done = wasi_host.run([SOURCE, *words], invoke=name, **options)
    return done.trap.cause if done.trap else done.values
def on_thread(size, call):
    got = []
    threading.stack_size(size)
    thread = threading.Thread(target=lambda: got.append(call()))
    thread.start()
    thread.join()
    threading.stack_size(0)
    return got[0]
"""


def child(code, *flags):
    """Run code after the prelude in a process of its own; return the lines it wrote."""
    done = subprocess.run(
        [sys.executable, *flags, "-c", PRELUDE + code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return done.stdout.splitlines()
