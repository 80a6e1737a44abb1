"""The native part is built where it can be; tests of it need it."""

import pytest

from wasi_host.native.library import library, why_not


@pytest.fixture(scope="session")
def native():
    """The native part's functions."""
    if library() is None:
        pytest.skip(f"no native part: {why_not()}")
    return library()
