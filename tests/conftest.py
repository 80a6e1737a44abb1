"""What all tests share."""

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def _cache_of_their_own(tmp_path_factory):
    """Tests, and the processes they start, leave the user's own cache alone."""
    os.environ["WASI_HOST_CACHE"] = str(tmp_path_factory.mktemp("cache") / "wasi_host")
