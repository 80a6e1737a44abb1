"""What the first line of a conformance program says, and the sockets that one is given."""

import socket

import pytest

from conformance import own, sockets


@pytest.fixture
def programs(tmp_path, monkeypatch):
    monkeypatch.setattr(own, "PROGRAMS", tmp_path)
    return tmp_path


def test_the_first_line_of_a_source_is_its_row(programs):
    (programs / "b.wat").write_text(";; fd_read: reads. [ours]\n(module)\n")
    (programs / "a.c").write_text("// fd_read, fd_pread: one; two. [POSIX: read]\nint x;\n")
    assert list(own.rows()) == [
        own.Row("a", ("fd_read", "fd_pread"), "one; two", "POSIX: read"),
        own.Row("b", ("fd_read",), "reads", "ours"),
    ]


@pytest.mark.parametrize(
    "line",
    ["", "#include", "// fd_read: no source.", "// reads well. [ours]", "/* fd_read: a. [ours] */"],
)
def test_a_source_without_a_row_is_named(programs, line):
    (programs / "odd.c").write_text(line)
    with pytest.raises(ValueError, match=r"odd\.c"):
        list(own.rows())


@pytest.mark.parametrize("kind", ["pair", "listener", "datagrams"])
def test_a_kind_of_sockets_stands_for_two_that_are_closed_in_the_end(kind):
    with sockets.open_for([kind, kind]) as given:
        assert len({one.fileno() for one in given}) == 4
        listening = [one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for one in given]
        assert listening == [kind == "listener", 0] * 2
    assert [one.fileno() for one in given] == [-1] * 4


def test_an_unknown_kind_of_sockets_is_named():
    with pytest.raises(ValueError, match="'tcp'"), sockets.open_for(["pair", "tcp"]):
        pass
