"""Sockets handed to whole programs: a server in C, small guests in WAT, and the command."""

import copy
import os
import pickle
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

import wasi_host

SERVER = Path(__file__).resolve().parents[1] / "guests" / "echo_server.wasm"
AGAIN, BADF, FAULT, INVAL, MFILE = 6, 8, 21, 28, 33

# Each call under its own name; memory from 0.
CALLS = b"""(module
  (import "wasi_snapshot_preview1" "sock_accept" (func $a (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv"
    (func $r (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $s (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_shutdown" (func $h (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $f (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (export "accept" (func $a)) (export "recv" (func $r)) (export "send" (func $s))
  (export "shutdown" (func $h)) (export "fdstat" (func $f)))"""

# One call of a program on 3, made until it fails: sooner or later it waits.
WAITS = {
    "accept": "(call $a (i32.const 3) (i32.const 0) (i32.const 64))",
    "recv": "(call $r (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 64)"
    " (i32.const 68))",
    "send": "(call $s (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 64))",
}


def waiting(call):
    text = CALLS.decode()[:-1]
    return f"""{text} (data (i32.const 0) "\\80\\00\\00\\00\\00\\f0\\00\\00")
      (func (export "_start") (loop $again (br_if $again (i32.eqz {WAITS[call]})))))""".encode()


@pytest.fixture(params=["tcp", "unix"])
def listener(request, tmp_path):
    if request.param == "tcp":
        made = socket.create_server(("127.0.0.1", 0))
    else:
        made = socket.socket(socket.AF_UNIX)
        made.bind(os.fspath(tmp_path / "s"))
        made.listen()
    with made:
        yield made


def connect(address):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    client = socket.socket(family)
    client.settimeout(20)
    client.connect(address)
    return client


def read_until(client, end):
    data = b""
    while not data.endswith(end):
        part = client.recv(100)
        assert part, f"the stream ended with {data!r}"
        data += part
    return data


def talk(client, text):
    client.sendall(text)
    assert read_until(client, text.upper()) == text.upper()


def leave(client):
    client.shutdown(socket.SHUT_WR)
    assert read_until(client, b"goodbye\n") == b"goodbye\n"
    assert client.recv(1) == b""


def serve_two(address, mode):
    if mode == "one":
        for name in (b"first", b"second"):
            with connect(address) as client:
                talk(client, b"hello " + name)
                talk(client, b"x" * 100_000)
                leave(client)
        return
    with connect(address) as first, connect(address) as second:
        talk(second, b"two")
        talk(first, b"one")
        talk(second, b"two again")
        leave(second)
        talk(first, b"still here")
        leave(first)


def in_thread(call):
    """Start a call; return a function that waits for its result."""
    box = []

    def work():
        try:
            box.append((call(), None))
        except BaseException as error:
            box.append((None, error))

    thread = threading.Thread(target=work)
    thread.start()

    def result():
        thread.join(30)
        assert not thread.is_alive()
        value, error = box[0]
        if error is not None:
            raise error
        return value

    return result


# A server in C.


@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "non-blocking"])
@pytest.mark.parametrize("mode", ["one", "poll"])
def test_a_server_accepts_answers_and_shuts_down_two_clients(listener, mode, blocking):
    listener.setblocking(blocking)
    result = in_thread(
        lambda: wasi_host.run(
            [SERVER, mode], sockets=[listener], capture_output=True, text=True, timeout=30
        )
    )
    serve_two(listener.getsockname(), mode)
    ended = result()
    assert ended.returncode == 0, ended.stdout
    order = [1, 2] if mode == "one" else [2, 1]
    assert ended.stdout.splitlines() == [
        "listening on 3",
        *(f"client {number} served" for number in order),
    ]
    assert listener.getblocking() == blocking


@pytest.mark.parametrize("directories", [0, 1, 3])
def test_the_listener_comes_after_all_directories(listener, directories):
    result = in_thread(
        lambda: wasi_host.run(
            [SERVER, "one"],
            dirs={f"/{number}": {} for number in range(directories)},
            sockets=[listener],
            capture_output=True,
            timeout=30,
        )
    )
    serve_two(listener.getsockname(), "one")
    assert result().stdout.startswith(b"listening on %d\n" % (3 + directories))


def test_a_listener_serves_one_run_after_the_other(listener):
    sandbox = wasi_host.Sandbox(SERVER, sockets=(one for one in [listener]))
    for _ in range(2):
        result = in_thread(lambda: sandbox.run(["one"], capture_output=True, timeout=30))
        serve_two(listener.getsockname(), "one")
        assert result().returncode == 0


def test_a_run_can_have_its_own_sockets(listener):
    sandbox = wasi_host.Sandbox(SERVER)
    without = sandbox.run(["one"], capture_output=True)
    assert without.returncode == 1
    result = in_thread(
        lambda: sandbox.run(["one"], sockets=[listener.fileno()], capture_output=True, timeout=30)
    )
    serve_two(listener.getsockname(), "one")
    assert result().returncode == 0


def test_two_runs_share_one_listener(listener):
    results = [
        in_thread(
            lambda: wasi_host.run(
                [SERVER, "one"], sockets=[listener], capture_output=True, timeout=30
            )
        )
        for _ in range(2)
    ]
    for _ in range(4):
        with connect(listener.getsockname()) as client:
            talk(client, b"hello")
            leave(client)
    assert [result().returncode for result in results] == [0, 0]


# What ends a wait.


@pytest.fixture
def granted(listener):
    """The socket that a waiting guest has as its number 3, and its peer kept open."""
    a, b = socket.socketpair()
    with a, b:
        yield lambda call: listener if call == "accept" else a


@pytest.mark.parametrize("call", WAITS)
def test_a_waiting_call_is_ended_by_the_timeout(granted, call):
    with pytest.raises(wasi_host.TimeoutExpired):
        wasi_host.run([waiting(call)], sockets=[granted(call)], timeout=0.1)


@pytest.mark.parametrize("call", WAITS)
def test_a_waiting_call_is_ended_by_ctrl_c(granted, call):
    timer = threading.Timer(0.2, signal.pthread_kill, [threading.get_ident(), signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            wasi_host.run([waiting(call)], sockets=[granted(call)], timeout=20)
    finally:
        timer.cancel()


def test_poll_in_a_program_is_ended_by_the_timeout(listener):
    with pytest.raises(wasi_host.TimeoutExpired):
        wasi_host.run([SERVER, "poll"], sockets=[listener], timeout=0.2, capture_output=True)


# The calls as a guest makes them.


@pytest.fixture
def live():
    """An instance with a connected socket 3 and a listener 4, the peer, and the listener."""
    a, b = socket.socketpair()
    with a, b, socket.create_server(("127.0.0.1", 0)) as server:
        sandbox = wasi_host.Sandbox(
            CALLS, sockets=[a, server], limits=wasi_host.Limits(open_files=6)
        )
        with sandbox.instantiate() as instance:
            instance.memory[0:8] = struct.pack("<II", 128, 64)
            yield instance, b, server


def number(instance, address):
    return struct.unpack_from("<I", instance.memory, address)[0]


def test_received_bytes_their_number_and_flags_are_stored(live):
    instance, peer, _ = live
    peer.send(b"hello")
    instance.memory[60:80] = b"\xaa" * 20
    assert instance.call("recv", 3, 0, 1, 0, 64, 68) == 0
    assert bytes(instance.memory[128:133]) == b"hello"
    assert number(instance, 64) == 5
    # Two bytes of flags, and nothing beyond them.
    assert bytes(instance.memory[60:80]) == b"\xaa" * 4 + b"\5\0\0\0" + b"\0\0" + b"\xaa" * 10


def test_undefined_flags_and_bad_pointers_change_nothing(live):
    instance, peer, _ = live
    peer.send(b"hello")
    assert instance.call("recv", 3, 0, 1, 4, 64, 68) == INVAL
    assert instance.call("recv", 3, 0, 1, 0, 65_536, 68) == FAULT
    assert instance.call("recv", 3, 0, 1, 0, 64, 65_535) == FAULT
    assert instance.call("recv", 3, 0, 1, 0x1_0000, 64, 68) == INVAL
    assert instance.call("send", 3, 0, 1, 1, 64) == INVAL
    assert instance.call("shutdown", 3, 0) == INVAL
    assert instance.call("shutdown", 3, 4) == INVAL
    assert instance.call("recv", 3, 0, 1, 0, 64, 68) == 0
    assert number(instance, 64) == 5


def test_a_bad_pointer_or_flag_takes_no_connection(live):
    instance, _, server = live
    with connect(server.getsockname()):
        assert instance.call("accept", 4, 0, 65_533) == FAULT
        assert instance.call("accept", 4, 1, 64) == INVAL
        assert instance.call("accept", 4, 32, 64) == INVAL
        assert instance.call("accept", 3, 0, 64) == INVAL
        assert instance.call("accept", 4, 4, 64) == 0
        assert number(instance, 64) == 5
        assert instance.call("recv", 5, 0, 1, 0, 64, 68) == AGAIN


def test_at_the_limit_of_descriptors_no_connection_is_taken(live):
    instance, _, server = live
    with connect(server.getsockname()), connect(server.getsockname()):
        assert instance.call("accept", 4, 0, 64) == 0
        assert instance.call("accept", 4, 0, 64) == MFILE
        server.settimeout(20)
        server.accept()[0].close()


def test_nothing_but_what_was_granted_is_there(live):
    instance, _, _ = live
    for fd in (5, 6, 99, live[2].fileno() + 100):
        for name, arguments in {
            "accept": (0, 64),
            "recv": (0, 1, 0, 64, 68),
            "send": (0, 1, 0, 64),
            "shutdown": (3,),
            "fdstat": (64,),
        }.items():
            assert instance.call(name, fd, *arguments) == BADF


def test_closing_an_instance_closes_its_connections_and_not_the_embedders():
    a, b = socket.socketpair()
    with a, b, socket.create_server(("127.0.0.1", 0)) as server:
        instance = wasi_host.Sandbox(CALLS, sockets=[a, server]).instantiate()
        with connect(server.getsockname()) as client:
            assert instance.call("accept", 4, 0, 64) == 0
            instance.close()
            assert client.recv(1) == b""
        a.send(b"still mine")
        assert b.recv(100) == b"still mine"
        with connect(server.getsockname()):
            server.accept()[0].close()


def test_the_import_provider_gives_sockets_too():
    a, b = socket.socketpair()
    data = bytearray(65_536)
    data[0:8] = struct.pack("<II", 128, 5)
    data[128:133] = b"hello"
    with a, b:
        with wasi_host.Wasi(dirs={"/": {}}, sockets=[a], stdout=wasi_host.PIPE) as wasi:
            functions = wasi.functions(SimpleNamespace(view=lambda: memoryview(data)))
            assert functions["sock_send"](4, 0, 1, 0, 64) == 0
        assert b.recv(10) == b"hello"
        with pytest.raises(TypeError, match="sockets is a list"):
            wasi_host.Wasi(sockets=a)


# What may be given.


@pytest.mark.parametrize("sockets", ["127.0.0.1:80", b"", 3, 4.5, None, ["x"], [None]], ids=repr)
def test_what_is_no_list_of_sockets_is_a_type_error(sockets):
    with pytest.raises(TypeError, match="sockets"):
        wasi_host.run([CALLS], sockets=sockets)


def test_a_single_socket_is_a_type_error(listener):
    with pytest.raises(TypeError, match="sockets is a list"):
        wasi_host.Sandbox(CALLS, sockets=listener)


def test_a_socket_that_cannot_be_used_is_told_when_it_is_given(tmp_path):
    with (
        socket.socket() as fresh,
        pytest.raises(ValueError, match="neither listening nor connected"),
    ):
        wasi_host.Sandbox(CALLS, sockets=[fresh])
    with open(tmp_path / "f", "w") as file, pytest.raises(ValueError, match="is no socket"):
        wasi_host.Sandbox(CALLS, sockets=[file.fileno()])


def test_a_socket_closed_since_is_told_at_the_run(listener):
    sandbox = wasi_host.Sandbox(SERVER, sockets=[listener])
    listener.close()
    with pytest.raises(ValueError, match="closed"):
        sandbox.run(["one"])


def test_a_sandbox_with_sockets_does_not_leave_its_process(listener):
    sandbox = wasi_host.Sandbox(SERVER, sockets=[listener.fileno()])
    with pytest.raises(TypeError, match="does not pickle"):
        pickle.dumps(sandbox)
    with pytest.raises(TypeError, match="does not pickle"):
        copy.copy(sandbox)
    assert pickle.loads(pickle.dumps(sandbox.replace(sockets=[])))


# The command.


@contextmanager
def command(*words):
    """The command under way; ended at the latest with the test, also where that fails."""
    with subprocess.Popen(
        [sys.executable, "-m", "wasi_host", "run", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def chosen_port(process):
    assert select.select([process.stderr], [], [], 60)[0]
    return int(re.fullmatch(r"wasi-host: listening on \S+:(\d+)\n", process.stderr.readline())[1])


@pytest.mark.parametrize("mode", ["one", "poll"])
def test_the_command_listens_and_says_where(mode):
    words = ["--listen", "127.0.0.1:0", "--mem-dir", "/", os.fspath(SERVER), mode]
    with command(*words) as process:
        serve_two(("127.0.0.1", chosen_port(process)), mode)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert output.startswith("listening on 4\n")
    assert errors == ""


def test_the_command_listens_several_times_and_on_ipv6():
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    words = ["--listen", "[::1]:0", "--listen", "localhost:0", os.fspath(SERVER), "no mode"]
    with command(*words) as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert output.startswith("listening on 3\n")
    first, second = errors.splitlines()
    assert re.fullmatch(r"wasi-host: listening on \[::1\]:[1-9]\d*", first)
    assert re.fullmatch(r"wasi-host: listening on localhost:[1-9]\d*", second)


@pytest.mark.parametrize(
    "word",
    [
        *("127.0.0.1", "8080", ":80", "::1:80", "[::1]", "[]:80", "127.0.0.1:", "a:b", "a:-1"),
        *("a:65536", "a:123456", "a:1 ", "[::1]80", "a:\u0661"),
    ],
)
def test_a_word_that_is_no_address_is_a_usage_error(word):
    with command("--listen", word, os.fspath(SERVER), "one") as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "--listen" in errors
    assert output == ""


def test_an_address_in_use_is_a_host_error_with_a_word():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with command("--listen", address, os.fspath(SERVER), "one") as process:
            output, errors = process.communicate(timeout=60)
    assert process.returncode == 125
    assert errors == f"wasi-host: cannot listen on {address}: Address already in use\n"
    assert output == ""


def test_ctrl_c_ends_the_command_while_it_waits_for_a_client():
    with command("--listen", "127.0.0.1:0", os.fspath(SERVER), "one") as process:
        chosen_port(process)
        assert process.stdout.readline() == "listening on 3\n"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
