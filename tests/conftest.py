"""What all tests share."""

import os
import signal

import pytest

# A shell starts background jobs with SIGINT ignored, and what is ignored stays so in every
# process started from here: the children that tests interrupt would not hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _cache_of_their_own(tmp_path_factory):
    """Tests, and the processes they start, leave the user's own cache alone."""
    os.environ["WASI_HOST_CACHE"] = str(tmp_path_factory.mktemp("cache") / "wasi_host")
