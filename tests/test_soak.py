"""A little of the soak: what a process holds does not grow with the sandboxes it has run."""

import sys

import pytest

from tests.soak import grown, live, many


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")
def test_descriptors_threads_and_memory_stay_flat_over_many_sandboxes(tmp_path):
    counted = many(1200, 4, str(tmp_path), samples=3)
    assert not grown(counted), counted


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")
def test_many_live_instances_keep_their_state_and_leave_nothing_open():
    live(1)  # what a process opens once
    _, _, left = live(300)
    assert left == 0
