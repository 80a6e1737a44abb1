"""What all tests share."""

import gc
import os
import signal

import pytest

from wasi_host.fs import openat2
from wasi_host.fs.host_nodes import PROBES
from wasi_host.native import library
from wasi_host.world import wake

# A shell starts background jobs with SIGINT ignored, and what is ignored stays so in every
# process started from here: the children that tests interrupt would not hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish():
    """Tens of thousands of collected tests are nothing a collector need walk in each test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _cache_of_their_own(tmp_path_factory):
    """Tests, and the processes they start, leave the user's own cache alone."""
    os.environ["WASI_HOST_CACHE"] = str(tmp_path_factory.mktemp("cache") / "wasi_host")


@pytest.fixture(scope="session", autouse=True)
def _nothing_that_only_linux_has():
    """With WASI_HOST_TEST_PROBES=off all of it runs as on a system without these calls."""
    if os.environ.get("WASI_HOST_TEST_PROBES") == "off":
        openat2.force_off(True)
        PROBES.o_path = PROBES.rwf_append = 0
        PROBES.proc = False
        wake.EVENTFD = False


@pytest.fixture(scope="module", autouse=True)
def _garbage_of_other_modules_is_gone():
    """Tests that count descriptors must not see one closed that another test left to be found."""
    gc.collect()


@pytest.fixture
def python_only():
    """Guests of this test are served in Python alone, without the native part."""
    before = library.force_off(True)
    yield
    library.force_off(before)
