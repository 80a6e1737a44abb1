"""Filesystems of other libraries keep the contract, but for the links they do not have."""

import contextlib

import pytest

from tests.fs.contract import FilesystemContract
from tests.fs.lacking import HARD_LINKS, SYMBOLIC_LINKS
from tests.fs.theirs import Copying, OtherOSFS, TempFS, TheirMemoryFS, put
from wasi_host.fs.pyfs import PyFilesystem

pytestmark = pytest.mark.filterwarnings("ignore::wasi_host.ForeignFilesystemWarning")


def factory(make):
    @contextlib.contextmanager
    def opened(tmp_path, tree, readonly=False):
        with make(tmp_path) as theirs:
            yield PyFilesystem(put(theirs, tree), readonly=readonly)

    return staticmethod(opened)


class WithoutLinks(FilesystemContract):
    lacks = frozenset((SYMBOLIC_LINKS, HARD_LINKS))


class TestTheirMemory(WithoutLinks):
    factory = factory(lambda tmp_path: TheirMemoryFS())


@pytest.mark.breadth
class TestOneThatMovesByCopying(WithoutLinks):
    factory = factory(lambda tmp_path: Copying())


@pytest.mark.breadth
class TestADiskThatIsNotPlainlyOne(WithoutLinks):
    factory = factory(lambda tmp_path: OtherOSFS(str(tmp_path)))


@pytest.mark.breadth
class TestATemporaryDirectory(FilesystemContract):
    factory = factory(lambda tmp_path: TempFS(temp_dir=str(tmp_path)))
