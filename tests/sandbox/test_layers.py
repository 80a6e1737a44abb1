"""Layers, traces and limits of calls, as a caller of ``run`` gives them; real guests."""

import io
import json
import pickle
import shutil

import pytest

from tests.runtimes.guests import command
from tests.sandbox.programs import CAT, ENDLESS, OPEN, exits, says
from wasi_host import (
    PIPE,
    Clock,
    Divergence,
    Limits,
    Sandbox,
    TimeoutExpired,
    Trace,
    faults,
    policy,
    record,
    replay,
    run,
)
from wasi_host.streams import Spec
from wasi_host.surroundings import Surroundings, checked_setting
from wasi_spec import Errno

GREP = ["examples/grep.wasm", "-rn", "hello", "/data"]
TREE = {"/data": {"a.txt": "hello\nworld\n", "sub": {"b.txt": "say hello\n"}}}
FOUND = b"/data/a.txt:1:hello\n/data/sub/b.txt:1:say hello\n"
ASKED = {"dirs": None, "env": None, "limits": Limits(), "rights": "grant", "sockets": (),
         "clock": None, "seed": None}  # fmt: skip


def grep(**options):
    return run(GREP, **{"dirs": TREE, "capture_output": True, **options})


def test_a_trace_of_a_real_program_shows_its_calls():
    result = grep(trace=True)
    assert result.stdout == FOUND
    text = str(result.trace)
    assert 'fd_prestat_dir_name(3, "/data", 5) = 0' in text
    assert 'args_get(["grep.wasm", "-rn", "hello", "/data"]) = 0' in text
    assert '"hello\\nworld\\n", 131072) = 12 <' in text
    assert "</data/sub/b.txt>" in text
    calls = [json.loads(line)["call"] for line in result.trace.to_json().splitlines()]
    assert result.usage.calls == len(calls) == sum(result.trace.calls.values())
    assert result.trace.summary().splitlines()[-1].split()[3] == str(len(calls))


def test_nothing_is_counted_or_traced_unless_asked_for():
    result = grep()
    assert result.trace is None
    assert result.usage.calls is None


def test_calls_that_nothing_watches_go_to_the_host_itself():
    spec = Spec(b"", PIPE, PIPE, None, None)
    around = Surroundings(checked_setting(**ASKED), ["prog"], spec)
    assert around.served is around.host
    around.close()
    watched = Surroundings(checked_setting(**ASKED), ["prog"], spec, trace=True)
    assert watched.served is not watched.host
    watched.close()


def test_a_trace_with_a_filter_is_written_as_it_happens():
    lines = []
    trace = Trace(only=["fd_readdir"], write=lines.append)
    result = grep(trace=trace)
    assert result.trace is trace
    assert [line.split("(")[0] for line in lines] == ["fd_readdir"] * len(lines)
    assert result.usage.calls > len(lines) > 0


def test_a_result_with_its_trace_pickles():
    result = grep(trace=Trace(write=lambda text: None))
    assert str(pickle.loads(pickle.dumps(result)).trace) == str(result.trace)


def test_the_trace_of_a_run_that_timed_out_comes_with_the_exception():
    with pytest.raises(TimeoutExpired) as expired:
        run([ENDLESS["sleeping in poll_oneoff"]], timeout=0.2, capture_output=True, trace=True)
    assert str(expired.value.result.trace).splitlines()[-1].startswith("poll_oneoff([{CLOCK, ")
    assert "= ? stopped: timeout" in str(expired.value.result.trace)


def test_a_program_given_no_directory_for_its_path_gets_a_hint():
    result = run([*GREP[:3], "/nope"], dirs=TREE, capture_output=True, trace=True)
    assert result.returncode == 2
    assert result.trace.hints[-1].endswith("Directories it was given: /data")


def test_a_limit_of_calls_ends_the_run():
    result = run([ENDLESS["making calls"]], limits=Limits(calls=1000), capture_output=True)
    assert (result.stopped, result.returncode, result.usage.calls) == ("calls", -9, 1000)
    assert result.stdout == b"out\n"


def test_a_limit_of_calls_that_is_not_reached_changes_nothing():
    result = grep(limits=Limits(calls=10_000))
    assert (result.stopped, result.returncode, result.stdout) == (None, 0, FOUND)


@pytest.mark.parametrize(("calls", "error"), [(-1, ValueError), ("1", TypeError)])
def test_a_limit_of_calls_is_a_number(calls, error):
    with pytest.raises(error, match=r"Limits\.calls"):
        Limits(calls=calls)


def test_a_policy_denies_a_real_program():
    def hook(call):
        return Errno.ACCES if call.arguments.get("path") == "sub/b.txt" else None

    result = grep(layers=[policy(before=hook)], trace=True)
    assert result.stdout == b"/data/a.txt:1:hello\n"
    assert b"Permission denied" in result.stderr
    assert '"sub/b.txt") = ACCES' in str(result.trace)


def test_what_a_policy_denies_is_not_explained_as_though_a_directory_were_missing():
    layers = [policy(before=lambda call: call.function != "path_open")]
    assert grep(layers=layers, trace=True).trace.hints == []


def test_a_policy_hook_that_raises_denies_and_its_exception_comes_out_of_the_run():
    seen = []

    def hook(call):
        if call.function == "path_open":
            raise ZeroDivisionError("mine")

    def after(call, result):
        seen.append((call.function, result))

    with pytest.raises(ZeroDivisionError, match="mine"):
        run([OPEN], dirs={"/": {"file": b""}}, layers=[policy(after=after), policy(before=hook)])
    assert seen[0] == ("path_open", Errno.PERM)


def test_a_recorded_run_is_replayed_when_its_directory_is_gone(tmp_path):
    data, file = tmp_path / "data", tmp_path / "run.rec"
    (data / "sub").mkdir(parents=True)
    (data / "a.txt").write_text("hello\n")
    first = grep(dirs={"/data": data}, layers=[record(file)], trace=True)
    shutil.rmtree(data)
    again = run(GREP, capture_output=True, layers=[replay(file)], trace=True)
    assert first.stdout == b"/data/a.txt:1:hello\n"
    assert (again.returncode, again.stdout, again.stderr) == (0, first.stdout, b"")
    assert [call["result"] for call in map(json.loads, again.trace.to_json().splitlines())] == [
        call["result"] for call in map(json.loads, first.trace.to_json().splitlines())
    ]


def test_input_is_replayed_too():
    file = io.BytesIO()
    run([CAT], input=b"some input", capture_output=True, layers=[record(file)])
    file.seek(0)
    assert run([CAT], capture_output=True, layers=[replay(file)]).stdout == b"some input"


def test_a_replay_with_other_arguments_diverges_out_of_the_run():
    file = io.BytesIO()
    grep(layers=[record(file)])
    file.seek(0)
    calls = []
    with pytest.raises(Divergence) as diverged:
        run([CAT], capture_output=True, layers=[lambda row, call: calls.append(row) or call,
                                                replay(file)])  # fmt: skip
    assert diverged.value.number == 1
    assert "fd_read(fd=0" in diverged.value.found


def test_a_guest_that_ends_before_its_recording_diverges_out_of_the_run():
    file = io.BytesIO()
    run([says("text")], capture_output=True, layers=[record(file)])
    file.seek(0)
    with pytest.raises(Divergence, match=r"fd_write.* was recorded, this run has ended"):
        run([command("(nop)")], layers=[replay(file)])


@pytest.mark.parametrize("cut", [5, 9, 60])
def test_a_recording_cut_short_tells_where_it_ends(cut):
    file = io.BytesIO()
    grep(layers=[record(file)])
    whole = file.getvalue()
    with pytest.raises(Divergence, match=r"cut short: it ends after call \d+") as ended:
        run(GREP, capture_output=True, layers=[replay(io.BytesIO(whole[:-cut]))])
    assert ended.value.number > 10


def test_faults_of_a_seed_are_the_same_in_each_run():
    outcomes = [
        grep(layers=[faults(5, errors=0.3)], trace=True, clock=Clock.virtual(0)) for _ in range(2)
    ]
    first, second = ((r.returncode, r.stdout, r.stderr, str(r.trace)) for r in outcomes)
    assert first == second
    assert "= IO" in first[3]


def test_a_function_of_the_users_is_a_layer():
    def refusing(row, call):
        def refused(*arguments):
            raise OSError(28, "full")

        return refused if row.name == "fd_write" else call

    assert run([says("x")], capture_output=True, layers=[refusing]).stdout == b""


@pytest.mark.parametrize("given", [{"trace": "fs"}, {"layers": [3]}, {"layers": 3},
                                   {"layers": policy()}, {"clock": 5}, {"seed": "x"}],
                         ids=["trace is text", "no layer", "no list", "one layer alone",
                              "no clock", "no seed"])  # fmt: skip
def test_what_is_none_of_it_is_refused(given):
    with pytest.raises(TypeError):
        run([exits(0)], **given)


def test_a_layer_that_cannot_be_opened_is_told_before_the_run(tmp_path):
    with pytest.raises(FileNotFoundError):
        grep(layers=[record(tmp_path / "missing" / "file")])


def test_a_sandbox_with_clock_and_seed_pickles_and_is_replaced():
    sandbox = Sandbox(exits(0), clock=Clock.stepping(5, 1), seed=3)
    again = pickle.loads(pickle.dumps(sandbox)).replace(env={"A": "b"})
    assert again.recipe.setting.clock == Clock.stepping(5, 1)
    assert again.recipe.setting.seed == 3
