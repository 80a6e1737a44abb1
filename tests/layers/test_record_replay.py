import io

import pytest

from tests.layers.hosts import Wrapped, files
from wasi_host.errors import AGAIN, NOENT, ProcExit, Stopped, WasiError, errno_of
from wasi_host.layers.record import NotRecorded, record
from wasi_host.layers.replay import CutShort, Divergence, replay
from wasi_spec import Errno, Event, SubscriptionClock


def outcome(call, *arguments):
    try:
        return call(*arguments)
    except WasiError as error:
        return Errno(error.errno)
    except OSError as error:
        return Errno(errno_of(error))
    except (ProcExit, Stopped) as error:
        return type(error), error.args


#: What a run of some length does.
CALLS = [
    ("args_get",),
    ("args_sizes_get",),
    ("fd_prestat_get", 3),
    ("fd_prestat_dir_name", 3, 1),
    ("path_open", 3, 0, "f", 0, 2, 0, 0),
    ("fd_read", 4, 100),
    ("fd_filestat_get", 4),
    ("fd_readdir", 3, 1000, 0),
    ("path_open", 3, 0, "missing", 0, 2, 0, 0),
    ("path_open", 3, 0, "new", 1, 0x40, 0, 0),
    ("fd_write", 5, b"x" * 1000),
    ("random_get", 8),
    ("clock_time_get", 0, 1),
    ("poll_oneoff", [SubscriptionClock(1, 1, 5, 0, 0)]),
    ("fd_seek", 4, -1, 2),
    ("fd_close", 77),
    ("proc_exit", 3),
]


def run(host, calls=CALLS):
    return [outcome(getattr(host, name), *arguments) for name, *arguments in calls]


def recorded(calls=CALLS, finished=True):
    file = io.BytesIO()
    host = Wrapped(record(file), host=files({"f": b"hello"}, args=[b"prog", b"a"]))
    outcomes = run(host, calls)
    host.layers.close(finished)
    return file.getvalue(), outcomes


def replaying(data, **answers):
    return Wrapped(replay(io.BytesIO(data)), **answers)


def test_a_replay_answers_as_the_recorded_run_did_without_asking_the_host():
    data, outcomes = recorded()
    host = replaying(data)
    assert run(host) == outcomes
    assert outcomes[5] == b"hello"
    assert outcomes[8] is Errno.NOENT
    assert outcomes[-1] == (ProcExit, (3,))
    assert host.failures() == []
    assert host.inner.calls == []


def test_events_come_back_as_events():
    data, _ = recorded()
    events = run(replaying(data))[CALLS.index(("poll_oneoff", [SubscriptionClock(1, 1, 5, 0, 0)]))]
    assert events == [Event(1, 0, 0, 0, 0)]
    assert type(events[0]) is Event


def test_recording_changes_nothing_for_the_guest():
    plain = files({"f": b"hello"}, args=[b"prog", b"a"])
    calls = [call for call in CALLS if call[0] in ("args_get", "path_open", "fd_read", "fd_close")]
    assert recorded(calls)[1] == run(plain, calls)


@pytest.mark.parametrize("ends", [NOENT, AGAIN, FileNotFoundError(2, "gone"), ProcExit(2**32 - 1)])
def test_each_way_a_call_ends_is_replayed(ends):
    file = io.BytesIO()
    host = Wrapped(record(file), fd_tell=ends)
    ended = outcome(host.fd_tell, 3)
    host.failures()
    assert outcome(replaying(file.getvalue()).fd_tell, 3) == ended


def test_a_run_that_was_stopped_in_a_call_stops_there_again():
    file = io.BytesIO()
    outcome(Wrapped(record(file), poll_oneoff=Stopped("timeout")).poll_oneoff, [])
    assert outcome(replaying(file.getvalue()).poll_oneoff, []) == (Stopped, ("timeout",))


def test_another_call_is_a_divergence_that_names_number_and_both_calls():
    data, _ = recorded()
    host = replaying(data)
    host.args_get()
    with pytest.raises(Divergence) as diverged:
        host.path_open(3, 0, "other", 0, 2, 0, 0)
    assert diverged.value.number == 2
    assert diverged.value.expected == "args_sizes_get()"
    assert "path='other'" in diverged.value.found
    assert "call 2: args_sizes_get() was recorded, this run calls path_open(" in str(diverged.value)


@pytest.mark.parametrize("data", [b"y" * 1000, b"x" * 999], ids=["other bytes", "fewer bytes"])
def test_other_data_written_is_a_divergence(data):
    calls = [("path_open", 3, 0, "new", 1, 0x40, 0, 0), ("fd_write", 4, b"x" * 1000)]
    host = replaying(recorded(calls)[0])
    host.path_open(3, 0, "new", 1, 0x40, 0, 0)
    with pytest.raises(Divergence, match=r"call 2: fd_write\(fd=4, data='1000 bytes'\)"):
        host.fd_write(4, data)


def test_a_call_after_the_end_of_the_recorded_run_is_a_divergence():
    host = replaying(recorded([("args_get",)])[0])
    host.args_get()
    for _ in range(2):
        with pytest.raises(Divergence, match="the recorded run had ended, this one calls sched"):
            host.sched_yield()


@pytest.mark.parametrize("cut", [0, 1, 5])
def test_a_recording_cut_short_is_replayed_to_where_it_ends_and_then_told(cut):
    data, outcomes = recorded([("args_get",), ("random_get", 8), ("random_get", 8)], finished=False)
    host = replaying(data[: len(data) - cut])
    whole = 3 if cut == 0 else 2
    assert run(host, CALLS[:1] + [("random_get", 8)] * (whole - 1)) == outcomes[:whole]
    with pytest.raises(CutShort, match=f"cut short: it ends after call {whole}; .*random_get"):
        host.random_get(8)
    assert host.failures() == []


def test_a_guest_that_ends_before_the_recording_does_is_a_divergence():
    host = replaying(recorded([("args_get",), ("random_get", 8)])[0])
    host.args_get()
    (failure,) = host.failures()
    assert isinstance(failure, Divergence)
    assert str(failure) == "call 2: random_get(buf_len=8) was recorded, this run has ended"


def test_a_guest_that_was_stopped_may_leave_calls_unmade():
    host = replaying(recorded([("args_get",), ("random_get", 8)])[0])
    assert host.failures(finished=False) == []


def test_standard_output_is_written_again_as_far_as_it_was():
    file = io.BytesIO()
    host = Wrapped(record(file), fd_write=3)
    host.fd_write(1, b"hello")
    host.fd_write(2, b"abc")
    host.fd_write(4, b"xyz")
    host.failures()
    again = replaying(file.getvalue(), fd_write=3)
    for call in ((1, b"hello"), (2, b"abc"), (4, b"xyz")):
        assert again.fd_write(*call) == 3
    assert again.inner.calls == [("fd_write", 1, b"hel"), ("fd_write", 2, b"abc")]


def test_standard_output_is_followed_where_the_guest_moves_it():
    calls = [
        ("path_open", 3, 0, "new", 1, 0x40, 0, 0),
        ("fd_renumber", 1, 4),
        ("fd_write", 4, b"out"),
        ("fd_close", 2),
        ("path_open", 3, 0, "new", 0, 0x40, 0, 0),
        ("fd_write", 1, b"file"),
    ]
    host = replaying(recorded(calls)[0], fd_write=3)
    run(host, calls)
    assert host.inner.calls == [("fd_write", 1, b"out")]


def test_an_output_that_fails_today_does_not_change_the_replay():
    file = io.BytesIO()
    Wrapped(record(file), fd_write=5).fd_write(1, b"hello")
    assert replaying(file.getvalue(), fd_write=BrokenPipeError()).fd_write(1, b"hello") == 5
    assert replaying(file.getvalue(), fd_write=0).fd_write(1, b"hello") == 5


def test_a_file_is_written_call_by_call_and_closed_at_the_end(tmp_path):
    path = tmp_path / "run.rec"
    host = Wrapped(record(path), random_get=b"12345678")
    host.random_get(8)
    assert replaying(path.read_bytes()).random_get(8) == b"12345678"
    assert host.failures() == []
    host = Wrapped(replay(path))
    assert host.random_get(8) == b"12345678"
    assert host.failures() == []


def test_one_record_layer_serves_run_after_run(tmp_path):
    layer = record(tmp_path / "run.rec")
    for text in (b"first", b"other"):
        host = Wrapped(layer, random_get=text)
        host.random_get(5)
        host.failures()
    again = Wrapped(replay(tmp_path / "run.rec"))
    assert again.random_get(5) == b"other"
    again.failures()


def test_a_file_given_open_stays_open():
    file = io.BytesIO()
    Wrapped(record(file)).failures()
    assert not file.closed
    file.seek(0)
    Wrapped(replay(file)).failures()
    assert not file.closed


class FullDisk(io.BytesIO):
    def __init__(self, room):
        super().__init__()
        self.room = room

    def write(self, data):
        if len(self.getvalue()) + len(data) > self.room:
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_a_recording_that_cannot_go_on_ends_the_run_not_the_call():
    host = Wrapped(record(FullDisk(100)), random_get=b"x" * 100)
    with pytest.raises(NotRecorded, match="No space left"):
        host.random_get(100)


def test_a_recording_that_cannot_begin_is_told_at_once(tmp_path):
    with pytest.raises(OSError, match="No space left"):
        Wrapped(record(FullDisk(10)))
    with pytest.raises(FileNotFoundError):
        Wrapped(record(tmp_path / "missing" / "run.rec"))
    with pytest.raises(FileNotFoundError):
        Wrapped(replay(tmp_path / "run.rec"))


def test_a_recording_of_another_module_is_refused():
    file = io.BytesIO()
    Wrapped(record(file, module=b"a" * 32)).failures()
    data = file.getvalue()
    for same in (b"a" * 32, None):
        Wrapped(replay(io.BytesIO(data), module=same)).failures()
    with pytest.raises(ValueError, match="another module"):
        Wrapped(replay(io.BytesIO(data), module=b"b" * 32))


def test_a_divergence_survives_pickling():
    import pickle

    error = CutShort("words", 3, None, "fd_read(...)")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.number) == (CutShort, "words", 3)
