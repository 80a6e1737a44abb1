"""What a user with a type checker writes: checked by mypy, never run."""

import datetime
import pathlib
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import fs.memoryfs
import fsspec  # type: ignore[import-untyped, unused-ignore]

import wasi_host
import wasi_spec
from wasi_host import HostDir, Limits, MemoryFS, Overlay, Quota, ReadOnly

THEIRS = fs.memoryfs.MemoryFS()
FSSPEC = fsspec.filesystem("memory")


def directories() -> dict[str, wasi_host.Source]:
    tree: dict[str, bytes] = {"x": b""}
    return {
        "/path": "x",
        "/path-object": pathlib.Path("y"),
        "/host": HostDir("z", readonly=True),
        "/dict": {"a": b"", "b": {"c": "text"}, "e": pathlib.Path("x")},
        "/tree": tree,
        "/memory": MemoryFS({"a": b"1"}),
        "/overlay": Overlay("x", MemoryFS()),
        "/readonly": ReadOnly(THEIRS),
        "/quota": Quota("x", max_bytes=1),
        "/filter": wasi_host.Filter(FSSPEC, allow="*.py", deny=["a", "b"]),
        "/dev": wasi_host.Devices(),
        "/zip": wasi_host.Archive("x.zip"),
        "/theirs": THEIRS,
        "/fsspec": FSSPEC,
        "/url": "zip://a.zip",
    }


def no_keys(call: wasi_host.HookCall) -> wasi_spec.Errno | None:
    path = str(call.arguments.get("path", ""))
    return wasi_spec.Errno.ACCES if path.endswith(".key") else None


def run(listener: socket.socket, words: list[str]) -> wasi_host.CompletedRun:
    return wasi_host.run(
        ["a.wasm", pathlib.Path("argument"), *words],
        input="x", text=True, capture_output=True, timeout=1, check=True, env={"A": "1"},
        dirs=directories(), argv0="a", invoke=None, limits=Limits(memory=1 << 20, timeout=3.0),
        rights="strict", sockets=[listener], seed=1, trace=True, tty=False,
        clock=wasi_host.Clock.virtual(datetime.datetime.now(datetime.UTC)),
        layers=[wasi_host.policy(before=no_keys), wasi_host.record("x"), wasi_host.faults(seed=1)],
    )  # fmt: skip


def look(result: wasi_host.CompletedRun) -> list[str]:
    code: int = result.returncode
    stopped: str | None = result.stopped
    seconds: float = result.usage.seconds
    found = [change.path for change in result.changes if change.kind == "created"]
    result.changes.apply()
    found += [path.name for path in (result.files / "a").glob("*.txt")]
    found.append((result.files / "a" / "b").read_text())
    if result.trace is not None:
        found += [str(result.trace), result.trace.summary(), result.trace.to_json()]
    if result.trap is not None:
        found.append(result.trap.message)
    return [*found, str(code), str(stopped), str(seconds), *result.limits_hit, *result.truncated]


def repeat() -> None:
    sandbox = wasi_host.Sandbox("a.wasm", dirs={"/": THEIRS}, limits=Limits()).replace(seed=1)
    threads = ThreadPoolExecutor()
    for done in sandbox.map([["-l"], {"argv": ["-w"]}], executor=threads, ordered=False):
        print(done.returncode, done.error)
    with sandbox.instantiate() as instance:
        print(instance.call("f", 1))
    with wasi_host.Pool(sandbox, size=3) as pool:
        print(pool.run(["-l"], input=b"x").stdout)
    try:
        sandbox.run(["-l"], stdout=print, stderr=wasi_host.STDOUT, stdin=sys.stdin)
    except wasi_host.Trapped as error:
        print(error.result.trap)
    except wasi_host.TimeoutExpired as error:
        print(error.result.stdout)


async def wait() -> int:
    with wasi_host.spawn(["a.wasm"], stdin=wasi_host.PIPE, stdout=wasi_host.PIPE) as running:
        out, _ = running.communicate(b"x", timeout=1)
        running.kill()
    result = await wasi_host.run_async([wasi_host.Module("a.wasm")], timeout=1)
    return len(out or b"") + result.returncode


def provide(memory: object) -> dict[str, Callable[..., int]]:
    with wasi_host.Wasi(["grep"], dirs={"/": THEIRS}, stdout=wasi_host.PIPE) as wasi:
        print(wasi.exit_code, wasi.stdout, wasi.changes, wasi.trace)
        return wasi.functions(memory)
