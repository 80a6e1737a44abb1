import os
import socket

import pytest


@pytest.fixture
def pipe():
    """The reading and the writing end of a pipe; either may be closed by the test."""
    ends = os.pipe()
    inodes = [os.fstat(end).st_ino for end in ends]
    yield ends
    for end, inode in zip(ends, inodes, strict=True):
        try:
            if os.fstat(end).st_ino == inode:
                os.close(end)
        except OSError:
            pass


@pytest.fixture
def sockets():
    a, b = socket.socketpair()
    with a, b:
        yield a, b
