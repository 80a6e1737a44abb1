"""``run_async``: the event loop goes on while a guest runs, and a cancelled task ends its guest."""

import asyncio
import os
import threading

import pytest

import wasi_host
from tests.runtimes.guests import command
from tests.sandbox.programs import BOTH, CAT, ENDLESS, NUMBERS, exits, says
from wasi_host import run_async

TRAPS = command("unreachable")


@pytest.fixture
def silent():
    """A pipe to read from in which nothing ever comes."""
    read, write = os.pipe()
    yield read
    os.close(read)
    os.close(write)


async def cancelled(source, **keywords):
    """Start a guest, wait until it has said something, cancel it, and return what came out."""
    loop, said = asyncio.get_running_loop(), asyncio.Event()

    def output(data):
        loop.call_soon_threadsafe(said.set)

    task = asyncio.create_task(run_async([source], stdout=output, **keywords))
    await asyncio.wait_for(said.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 60)


def guests():
    """The guests of ``run_async`` that have not ended; one that has may need a moment to go."""
    threads = [thread for thread in threading.enumerate() if thread.name == "wasi_host awaited"]
    for thread in threads:
        thread.join(10)
    return [thread for thread in threads if thread.is_alive()]


# ---- what comes back --------------------------------------------------------------------------


def test_input_is_empty_and_output_captured():
    done = asyncio.run(run_async([BOTH]))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"out\n", b"err\n")
    assert asyncio.run(run_async([CAT])).stdout == b""


def test_keywords_are_those_of_run(tmp_path):
    assert asyncio.run(run_async([CAT], input="ä", text=True)).stdout == "ä"
    assert asyncio.run(run_async([says("x")], capture_output=True)).stdout == b"x"
    assert asyncio.run(run_async([NUMBERS, "1", "2"], invoke="add")).values == (3,)
    with open(tmp_path / "out", "wb") as file:
        done = asyncio.run(run_async([says("x")], stdout=file))
    assert (done.stdout, (tmp_path / "out").read_bytes()) == (None, b"x")


def test_a_checked_run_raises():
    with pytest.raises(wasi_host.RunError):
        asyncio.run(run_async([exits(3)], check=True))
    with pytest.raises(wasi_host.Trapped):
        asyncio.run(run_async([TRAPS], check=True))


def test_what_cannot_be_run_is_an_exception():
    with pytest.raises(FileNotFoundError):
        asyncio.run(run_async(["/missing.wasm"]))
    with pytest.raises(wasi_host.NotAWasiModule):
        asyncio.run(run_async([b"#!/bin/sh"]))
    with pytest.raises(TypeError, match="shell"):
        asyncio.run(run_async([CAT], shell=True))


def test_the_exception_of_a_stream_comes_out():
    def fails(data):
        raise LookupError(data)

    with pytest.raises(LookupError):
        asyncio.run(run_async([says("x")], stdout=fails))


def test_many_run_at_once():
    async def main():
        return await asyncio.gather(*(run_async([exits(code)]) for code in range(20)))

    assert [done.returncode for done in asyncio.run(main())] == list(range(20))


def test_the_loop_goes_on_while_a_guest_computes():
    async def main():
        task = asyncio.create_task(run_async([ENDLESS["computing"]]))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


# ---- ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in ENDLESS if "start section" not in name])
def test_a_cancelled_task_has_ended_its_guest(name, silent):
    asyncio.run(cancelled(ENDLESS[name], stdin=silent))
    assert not guests()


def test_a_timeout_ends_a_guest_as_in_run(silent):
    for name in ENDLESS:
        with pytest.raises(wasi_host.TimeoutExpired):
            asyncio.run(run_async([ENDLESS[name]], stdin=silent, timeout=0.1))
    limits = wasi_host.Limits(timeout=0.1)
    done = asyncio.run(run_async([ENDLESS["computing"]], limits=limits))
    assert (done.stopped, done.stdout) == ("timeout", b"out\n")


def test_wait_for_ends_a_guest():
    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(run_async([ENDLESS["making calls"]]), 0.1)

    asyncio.run(main())
    assert not guests()


def test_a_loop_that_ends_ends_its_guests():
    async def main():
        task = asyncio.create_task(run_async([ENDLESS["computing"]]))
        await asyncio.sleep(0.05)
        return task

    task = asyncio.run(main())
    assert task.cancelled()
    assert not guests()


# ---- asyncio's streams --------------------------------------------------------------------------


async def pipe_reader(fd):
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb")
    )
    return reader, transport


async def pipe_writer(fd):
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(fd, "wb")
    )
    return asyncio.StreamWriter(transport, protocol, None, loop)


def test_a_guest_reads_from_and_writes_to_streams_of_asyncio():
    async def main():
        read, write = os.pipe()
        fed = asyncio.StreamReader()
        output, transport = await pipe_reader(read)
        writer = await pipe_writer(write)
        task = asyncio.create_task(run_async([CAT], stdin=fed, stdout=writer))
        for line in (b"one\n", b"two\n"):
            fed.feed_data(line)
            assert await asyncio.wait_for(output.readline(), 60) == line
        fed.feed_eof()
        assert (await task).returncode == 0
        writer.close()
        assert await output.read() == b""
        transport.close()

    asyncio.run(main())


def test_cancelling_ends_a_guest_that_reads_from_a_stream_of_asyncio():
    asyncio.run(_cancel_reading())
    assert not guests()


async def _cancel_reading():
    task = asyncio.create_task(run_async([CAT], stdin=asyncio.StreamReader()))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 60)


def test_a_timeout_ends_a_guest_that_reads_from_a_stream_of_asyncio():
    async def main():
        with pytest.raises(wasi_host.TimeoutExpired):
            await asyncio.wait_for(
                run_async([CAT], stdin=asyncio.StreamReader(), timeout=0.1), 60
            )

    asyncio.run(main())
    assert not guests()
