"""``Wasi.add_to_linker`` on engines, linkers and stores that are the user's own."""

import gc
import threading

import pytest

import wasi_host
from wasi_host.runtimes import wasmtime_choice, wasmtime_linker
from wasi_host.runtimes.wasmtime_public import _Unwind

wasmtime = pytest.importorskip("wasmtime")
#: What the package raises where a host function ended the guest.
ENDS = (wasmtime.Trap, wasmtime.WasmtimeError, _Unwind)

HELLO = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $x (param i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $a (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00")
  (data (i32.const 16) "hello\\n")
  (func (export "hello") (result i32)
    (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
  (func (export "argc") (result i32)
    (drop (call $a (i32.const 64) (i32.const 68))) (i32.load (i32.const 64)))
  (func (export "leave") (param i32) (call $x (local.get 0)))
  (func (export "boom") unreachable)
  (func (export "far") (result i32)
    (drop (memory.grow (i32.const 40)))
    (i32.store (i32.const 2000000) (i32.const 16)) (i32.store (i32.const 2000004) (i32.const 6))
    (call $w (i32.const 1) (i32.const 2000000) (i32.const 1) (i32.const 2600000)))
  (func (export "_start")
    (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
    (call $x (i32.const {code}))))"""


@pytest.fixture(params=["raw", "public"], autouse=True)
def either_way(request, monkeypatch):
    monkeypatch.setattr(wasmtime_choice, "_choice", request.param)
    return request.param


class Guest:
    def __init__(self, wasi, source=HELLO, code=0, config=None):
        self.engine = wasmtime.Engine(config or wasmtime.Config())
        self.store = wasmtime.Store(self.engine)
        linker = wasmtime.Linker(self.engine)
        wasi.add_to_linker(linker)
        text = source.replace("{code}", str(code))
        self.module = wasmtime.Module(self.engine, text)
        self.linker = linker
        self.instance = linker.instantiate(self.store, self.module)

    def call(self, name, *arguments):
        return self.instance.exports(self.store)[name](self.store, *arguments)


@pytest.fixture
def wasi():
    with wasi_host.Wasi(["prog", "x"], stdout=wasi_host.PIPE) as made:
        yield made


def test_start_runs_the_command_and_returns_its_exit_code(wasi):
    assert wasi.start(Guest(wasi, code=7).instance) == 7
    assert (wasi.exit_code, wasi.stdout) == (7, b"hello\n")


@pytest.mark.parametrize("code", [0, 1, 125, 126, 255, 256, 2**32 - 1])
def test_every_exit_code_is_the_guests_own_unsigned_number(wasi, code):
    assert wasi.start(Guest(wasi, code=code).instance) == code


def test_args_are_the_whole_command_line(wasi):
    assert Guest(wasi).call("argc") == 2


def test_a_reactor_is_called_without_any_start(wasi):
    guest = Guest(wasi)
    assert guest.call("hello") == 0
    assert guest.call("hello") == 0
    assert wasi.stdout == b"hello\nhello\n"


def test_initialize_is_run_where_there_is_one(wasi):
    guest = Guest(
        wasi,
        """(module (memory (export "memory") 1) (global $g (mut i32) (i32.const 0))
        (func (export "_initialize") (global.set $g (i32.const 5)))
        (func (export "get") (result i32) (global.get $g)))""",
    )
    wasi.initialize(guest.instance)
    assert guest.call("get") == 5


def test_initialize_of_a_module_without_one_does_nothing(wasi):
    wasi.initialize(Guest(wasi).instance)


def test_an_exit_in_a_call_made_by_hand_is_told_afterwards(wasi):
    guest = Guest(wasi)
    with pytest.raises(ENDS):
        guest.call("leave", 9)
    assert wasi.exit_code == 9


def test_a_trap_is_raised_with_its_cause(wasi):
    guest = Guest(wasi, HELLO.replace('(export "_start")', '(export "other")'))
    with pytest.raises(ValueError, match="_start"):
        wasi.start(guest.instance)
    bad = HELLO.replace("(call $x (i32.const {code}))", "unreachable")
    with wasi_host.Wasi() as other, pytest.raises(wasi_host.Trap) as caught:
        other.start(Guest(other, bad).instance)
    assert caught.value.cause == "unreachable"


def test_start_runs_once(wasi):
    guest = Guest(wasi)
    wasi.start(guest.instance)
    with pytest.raises(RuntimeError, match="once"):
        wasi.start(guest.instance)


def test_one_wasi_is_added_to_one_linker(wasi):
    Guest(wasi)
    with pytest.raises(RuntimeError, match="another Wasi"):
        wasi.add_to_linker(wasmtime.Linker(wasmtime.Engine()))


# The fast way only, for some: the package cannot tell instances apart, keeps what it was given
# itself, and its own table of functions takes no two threads at once.
@pytest.mark.parametrize("either_way", ["raw"], indirect=True)
def test_a_second_instance_is_told_so_and_the_first_goes_on(wasi):
    guest = Guest(wasi)
    assert guest.call("hello") == 0
    second = guest.linker.instantiate(guest.store, guest.module)
    with pytest.raises((wasmtime.Trap, wasmtime.WasmtimeError), match="one Wasi for each instance"):
        second.exports(guest.store)["hello"](guest.store)
    assert guest.call("hello") == 0


def test_a_linker_that_has_the_functions_already_is_refused():
    linker = wasmtime.Linker(wasmtime.Engine())
    with wasi_host.Wasi() as first, wasi_host.Wasi() as second:
        first.add_to_linker(linker)
        with pytest.raises((RuntimeError, wasmtime.WasmtimeError)):
            second.add_to_linker(linker)


def test_memory_that_moves_is_followed(wasi):
    config = wasmtime.Config()
    config.memory_reservation = 0
    config.memory_reservation_for_growth = 0
    guest = Guest(wasi, config=config)
    assert guest.call("hello") == 0
    assert guest.call("far") == 0
    assert guest.call("hello") == 0
    assert wasi.stdout == b"hello\n" * 3


def test_a_start_section_that_calls_wasi_is_served(wasi):
    source = HELLO.replace('(func (export "hello") (result i32)', "(func $h (result i32)").replace(
        '(func (export "boom") unreachable)', "(func $s (drop (call $h))) (start $s)"
    )
    Guest(wasi, source)
    assert wasi.stdout == b"hello\n"


def test_the_store_can_be_given_where_it_is_not_known(wasi):
    guest = Guest(wasi)
    wasi._stores.clear()  # as after InstancePre.instantiate, which we do not see
    with pytest.raises(ValueError, match="store"):
        wasi.start(guest.instance)
    assert wasi.start(guest.instance, guest.store) == 0


def test_what_a_users_stream_raises_comes_out_of_start():
    def fail(_data):
        raise LookupError("mine")

    with wasi_host.Wasi(stdout=fail) as wasi, pytest.raises(LookupError, match="mine"):
        wasi.start(Guest(wasi).instance)


def test_a_closed_wasi_ends_the_guests_next_call(wasi):
    guest = Guest(wasi)
    wasi.close()
    with pytest.raises(ENDS):
        guest.call("hello")
    with pytest.raises(RuntimeError, match="closed"):
        wasi.add_to_linker(wasmtime.Linker(wasmtime.Engine()))


@pytest.mark.parametrize("either_way", ["raw"], indirect=True)
def test_nothing_is_kept_when_linker_and_store_are_gone():
    gc.collect()
    before = len(wasmtime_linker.living)
    wasi = wasi_host.Wasi(stdout=wasi_host.PIPE)
    guest = Guest(wasi)
    wasi.start(guest.instance)
    wasi.close()
    del guest, wasi
    gc.collect()
    assert len(wasmtime_linker.living) == before


@pytest.mark.parametrize("either_way", ["raw"], indirect=True)
def test_exit_codes_of_four_threads_are_not_mixed_up():
    wrong = []

    def work(number):
        for turn in range(25):
            code = number * 1000 + turn
            with wasi_host.Wasi(stdout=wasi_host.DEVNULL) as wasi:
                got = wasi.start(Guest(wasi, code=code).instance)
            if got != code:
                wrong.append((code, got))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_running_thread_is_not_the_main_one_and_needs_no_signal(wasi):
    guest = Guest(wasi, code=3)
    codes = []
    thread = threading.Thread(target=lambda: codes.append(wasi.start(guest.instance)))
    thread.start()
    thread.join()
    assert codes == [3]
