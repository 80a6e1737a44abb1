"""``--strace``, ``--stats``, ``--record``, ``--replay``, ``--seed`` and ``--clock``."""

import shutil

import pytest

from tests.cli.test_run_command import child, told, wat
from tests.runtimes.guests import command
from tests.sandbox.programs import ARGS, CAT, CREATE, OPEN, exits, says

__all__ = ["wat"]

RANDOM = command(
    """(drop (call $random_get (i32.const 64) (i32.const 8)))
    (drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 72)))
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 16))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))""",
    wasi=["random_get", "clock_time_get", "fd_write"],
)


def test_strace_shows_calls_on_standard_error_and_takes_no_word_after_it(wat):
    done = child("--strace", wat(says("hi\n")), "word")
    assert done.stdout == b"hi\n"
    assert done.stderr.startswith(b'fd_write(1<stdout>, "hi\\n", 3) = 3 <')


def test_strace_writes_to_a_file_what_standard_error_does_not_get(wat, tmp_path):
    done = child(f"--strace={tmp_path / 'calls'}", wat(says("hi\n")))
    assert done.stderr == b""
    assert (tmp_path / "calls").read_text().startswith('fd_write(1<stdout>, "hi\\n", 3) = 3')


def test_what_looks_like_strace_in_the_programs_own_words_is_the_programs(wat):
    done = child("--argv0", "--strace", wat(ARGS), "--strace", "x")
    assert done.stdout == b"--strace\0--strace\0x\0"
    assert done.stderr == b""


def test_strace_of_a_refused_path_ends_in_a_hint(wat, tmp_path):
    done = child("--strace", "--ro-dir", f"{tmp_path}::/", wat(CREATE))
    first, _, hint = done.stderr.decode().splitlines()
    assert first.startswith('path_open(3, 0, "file", CREAT, FD_WRITE, 0, 0) = PERM')
    assert hint.startswith('hint: "file" cannot be changed, descriptor 3 was given for reading')


def test_a_filter_shows_some_calls_and_implies_strace(wat, tmp_path):
    done = child("--strace-filter", "path", "--dir", f"{tmp_path}::/", wat(OPEN))
    assert [line.split(b"(")[0] for line in done.stderr.splitlines()] == [b"path_open"]


def test_a_filter_that_names_nothing_is_a_usage_error(wat):
    status, words = told("--strace-filter", "files", wat(exits(0)))
    assert status == 2
    assert "no calls are named 'files'; there are clock, fd, fs" in words


def test_stats_print_a_table_after_the_program(wat):
    done = child("--stats", wat(says("hi\n")))
    lines = done.stderr.decode().splitlines()
    assert lines[0].split() == ["%", "time", "seconds", "usecs/call", "calls", "errors", "call"]
    assert lines[-1].split()[3:] == ["1", "total"]


@pytest.mark.parametrize("options", [["--strace"], ["--stats"], ["--strace", "--stats"]], ids=str)
def test_the_programs_status_stays_its_own(wat, options):
    assert told(*options, wat(exits(3)))[0] == 3


def test_a_recorded_run_is_replayed_without_its_directory_and_input(wat, tmp_path):
    data, file = tmp_path / "data", tmp_path / "run.rec"
    shutil.copytree("examples/data", data)
    grep = ["examples/grep.wasm", "-rn", "hello", "/data"]
    first = child("--record", file, "--dir", f"{data}::/data", *grep)
    shutil.rmtree(data)
    again = child("--replay", file, *grep)
    assert first.stdout
    assert (again.returncode, again.stdout) == (first.returncode, first.stdout)


def test_a_replay_of_another_program_diverges(wat, tmp_path):
    file = str(tmp_path / "run.rec")
    assert told("--record", file, wat(exits(3)))[0] == 3
    status, words = told("--replay", file, wat(CAT))
    assert status == 125
    assert "call 1: proc_exit(rval=3) was recorded, this run calls fd_read(" in words


def test_a_recording_cut_short_tells_where_it_ends(wat, tmp_path):
    file, program = tmp_path / "run.rec", wat(exits(3))
    told("--record", str(file), program)
    file.write_bytes(file.read_bytes()[:-6])
    status, words = told("--replay", str(file), program)
    assert status == 125
    assert "the recording was cut short: it ends after call 0" in words


def test_mistakes_about_recordings_are_told(wat, tmp_path):
    program = wat(exits(0))
    assert told("--record", "a", "--replay", program, program)[0] == 2
    assert told("--replay", str(tmp_path / "missing"), program)[0] == 2
    assert "this is no recording" in told("--replay", program, program)[1]
    status, words = told("--record", str(tmp_path / "missing" / "x"), program)
    assert status == 125
    assert "No such file or directory" in words
    assert told(f"--strace={tmp_path / 'missing' / 'x'}", program)[0] == 125


@pytest.mark.parametrize(("time", "ns"), [
    ("2024-05-01T12:00:00Z", 1_714_564_800_000_000_000),
    ("2024-05-01T14:00:00+02:00", 1_714_564_800_000_000_000),
    ("fixed:2024-05-01T12:00:00Z", 1_714_564_800_000_000_000),
    ("stepping:5", 5), ("virtual:7", 7), ("0", 0),
])  # fmt: skip
def test_seed_and_clock_make_runs_alike(wat, time, ns):
    runs = [child("--seed", "42", "--clock", time, wat(RANDOM)).stdout for _ in range(2)]
    assert runs[0] == runs[1]
    assert int.from_bytes(runs[0][8:], "little") == ns
    assert child("--seed", "-1", "--clock", time, wat(RANDOM)).stdout[:8] != runs[0][:8]


def test_directories_in_memory_are_on_the_clock_too():
    told = [
        child("--clock", "5", "--seed", "1", "--strace", "--mem-dir", "examples/data::/data",
              "--mem-dir", "/tmp", "examples/grep.wasm", "-rn", "hello", "/data", "/tmp").stderr
        for _ in range(2)
    ]  # fmt: skip
    assert told[0] == told[1]
    assert b"mtim=5, ctim=5" in told[0]
    assert b"</data/letters" in told[0]


@pytest.mark.parametrize("time", ["2024-05-01T12:00:00", "noon", "-1", "fixed:", "9" * 20])
def test_a_time_without_a_zone_or_out_of_range_is_a_usage_error(wat, time):
    status, words = told("--clock", time, wat(exits(0)))
    assert status == 2
    assert "2024-05-01T12:00:00Z" in words
