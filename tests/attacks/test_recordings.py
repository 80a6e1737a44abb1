"""Catalogue 90: a recording cut short, here by killing the process that makes it."""

import io
import os
import signal
import subprocess
import sys

import pytest

from tests.sandbox.programs import ENDLESS
from wasi_host import Divergence, replay, run
from wasi_host.layers import recording

_RECORDING = """
import sys
from tests.sandbox.programs import ENDLESS
from wasi_host import record, run
run([ENDLESS["making calls"]], layers=[record(sys.argv[1])])
"""


@pytest.fixture
def killed(tmp_path):
    """The recording of a run whose process was killed in the midst of it."""
    path = tmp_path / "run.rec"
    child = subprocess.Popen(
        [sys.executable, "-c", _RECORDING, path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
    )
    child.stdout.read(4)  # "out": the guest is running
    while path.stat().st_size < 500:
        assert child.poll() is None
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    return path.read_bytes()


def test_the_recording_of_a_killed_run_is_readable_and_a_replay_says_where_it_ends(killed):
    file = io.BytesIO(killed)
    recording.read_header(file)
    calls = list(recording.frames(file))
    assert None not in calls
    with pytest.raises(Divergence, match=f"cut short: it ends after call {len(calls)};") as ended:
        run([ENDLESS["making calls"]], capture_output=True, layers=[replay(io.BytesIO(killed))])
    assert ended.value.number == len(calls) + 1


@pytest.mark.parametrize("seed", range(20))
def test_a_recording_with_wrong_bytes_ends_in_an_exception_of_the_embedders(killed, seed):
    data = bytearray(killed)
    at = recording.HEADER_BYTES + (seed * 7919) % (len(data) - recording.HEADER_BYTES)
    data[at] ^= 1 << seed % 8
    with pytest.raises(Exception, match=r".") as error:
        run([ENDLESS["making calls"]], stdout=subprocess.DEVNULL,
            layers=[replay(io.BytesIO(bytes(data)))])  # fmt: skip
    assert not isinstance(error.value, OSError)
