"""Every filesystem keeps the contract."""

import pytest

from tests.fs.backends import (
    HOST_BY_THE_WALK,
    HOST_WITH_OPENAT2,
    HOST_WITHOUT_LINUX,
    MEMORY,
    OVERLAY_OVER_HOST,
    OVERLAY_OVER_HOST_BY_THE_WALK,
    OVERLAY_OVER_MEMORY,
    OVERLAY_OVER_OVERLAY,
    OVERLAY_WITH_UPPER_HOST,
    OVERLAY_WITH_UPPER_MEMORY,
)
from tests.fs.contract import FilesystemContract
from wasi_host.fs import openat2


@pytest.mark.skipif(not openat2.available(), reason="this kernel has no openat2")
class TestHostWithOpenat2(FilesystemContract):
    factory = staticmethod(HOST_WITH_OPENAT2)


class TestHostByTheWalk(FilesystemContract):
    factory = staticmethod(HOST_BY_THE_WALK)


@pytest.mark.breadth
class TestHostWithoutWhatOnlyLinuxHas(FilesystemContract):
    factory = staticmethod(HOST_WITHOUT_LINUX)


class TestMemory(FilesystemContract):
    factory = staticmethod(MEMORY)


class TestOverlayOverHost(FilesystemContract):
    factory = staticmethod(OVERLAY_OVER_HOST)


@pytest.mark.breadth
class TestOverlayOverHostWithoutWhatOnlyLinuxHas(FilesystemContract):
    factory = staticmethod(OVERLAY_OVER_HOST_BY_THE_WALK)


class TestOverlayOverMemory(FilesystemContract):
    factory = staticmethod(OVERLAY_OVER_MEMORY)


@pytest.mark.breadth
class TestOverlayOverAnOverlay(FilesystemContract):
    factory = staticmethod(OVERLAY_OVER_OVERLAY)


@pytest.mark.breadth
class TestOverlayWithAHostDirectoryForWriting(FilesystemContract):
    factory = staticmethod(OVERLAY_WITH_UPPER_HOST)


@pytest.mark.breadth
class TestOverlayWithATreeInMemoryForWriting(FilesystemContract):
    factory = staticmethod(OVERLAY_WITH_UPPER_MEMORY)
