"""Numbers a guest sees, against a listing of their own, written from the witx by hand."""

import pytest

import wasi_spec
from wasi_spec import Errno, Rights, enums, flags, numbers, rights

ERRNO = """
    success 2big acces addrinuse addrnotavail afnosupport again already badf badmsg
    busy canceled child connaborted connrefused connreset deadlk destaddrreq dom dquot
    exist fault fbig hostunreach idrm ilseq inprogress intr inval io
    isconn isdir loop mfile mlink msgsize multihop nametoolong netdown netreset
    netunreach nfile nobufs nodev noent noexec nolck nolink nomem nomsg
    noprotoopt nospc nosys notconn notdir notempty notrecoverable notsock notsup notty
    nxio overflow ownerdead perm pipe proto protonosupport prototype range rofs
    spipe srch stale timedout txtbsy xdev notcapable
"""

RIGHTS = """
    fd_datasync fd_read fd_seek fd_fdstat_set_flags fd_sync
    fd_tell fd_write fd_advise fd_allocate path_create_directory
    path_create_file path_link_source path_link_target path_open fd_readdir
    path_readlink path_rename_source path_rename_target path_filestat_get path_filestat_set_size
    path_filestat_set_times fd_filestat_get fd_filestat_set_size fd_filestat_set_times path_symlink
    path_remove_directory path_unlink_file poll_fd_readwrite sock_shutdown sock_accept
"""

ENUMS = {
    "Clockid": "realtime monotonic process_cputime_id thread_cputime_id",
    "Whence": "set cur end",
    "Filetype": "unknown block_device character_device directory regular_file socket_dgram "
    "socket_stream symbolic_link",
    "Advice": "normal sequential random willneed dontneed noreuse",
    "Eventtype": "clock fd_read fd_write",
    "Preopentype": "dir",
    "Signal": "none hup int quit ill trap abrt bus fpe kill usr1 segv usr2 pipe alrm term chld "
    "cont stop tstp ttin ttou urg xcpu xfsz vtalrm prof winch poll pwr sys",
}

FLAGS = {
    "Fdflags": "append dsync nonblock rsync sync",
    "Lookupflags": "symlink_follow",
    "Oflags": "creat directory excl trunc",
    "Fstflags": "atim atim_now mtim mtim_now",
    "Subclockflags": "subscription_clock_abstime",
    "Eventrwflags": "fd_readwrite_hangup",
    "Riflags": "recv_peek recv_waitall",
    "Roflags": "recv_data_truncated",
    "Sdflags": "rd wr",
}

# A few numbers written out, so that a listing with a gap or a swap above cannot pass unseen.
LITERAL = {
    "BADF is 8": (Errno.BADF, 8),
    "FAULT is 21": (Errno.FAULT, 21),
    "INVAL is 28": (Errno.INVAL, 28),
    "IO is 29": (Errno.IO, 29),
    "LOOP is 32": (Errno.LOOP, 32),
    "NOENT is 44": (Errno.NOENT, 44),
    "NOTDIR is 54": (Errno.NOTDIR, 54),
    "PERM is 63": (Errno.PERM, 63),
    "NOTCAPABLE is 76": (Errno.NOTCAPABLE, 76),
    "FD_READ is 2": (Rights.FD_READ, 0x2),
    "FD_WRITE is 64": (Rights.FD_WRITE, 0x40),
    "PATH_OPEN is 8192": (Rights.PATH_OPEN, 0x2000),
    "SOCK_ACCEPT is 2 to the 29th": (Rights.SOCK_ACCEPT, 0x2000_0000),
    "TRUNC is 8": (flags.Oflags.TRUNC, 8),
    "SYNC is 16": (flags.Fdflags.SYNC, 16),
    "a link is filetype 7": (enums.Filetype.SYMBOLIC_LINK, 7),
    "signal SYS is 30": (enums.Signal.SYS, 30),
}


def python_names(listing):
    return ["TOOBIG" if name == "2big" else name.upper() for name in listing.split()]


def members(kind):
    return [(name, int(value)) for name, value in kind.__members__.items()]


@pytest.mark.parametrize(("value", "number"), LITERAL.values(), ids=LITERAL)
def test_a_value_is_the_number_that_guests_were_compiled_with(value, number):
    assert int(value) == number


def test_there_are_77_error_codes_in_the_order_of_the_witx():
    names = python_names(ERRNO)
    assert len(names) == 77
    assert members(Errno) == [(name, number) for number, name in enumerate(names)]


def test_there_are_30_rights_one_bit_each_in_the_order_of_the_witx():
    names = python_names(RIGHTS)
    assert len(names) == 30
    assert members(Rights) == [(name, 1 << bit) for bit, name in enumerate(names)]


@pytest.mark.parametrize("name", ENUMS)
def test_an_enumeration_counts_from_zero_in_the_order_of_the_witx(name):
    expected = [(member, number) for number, member in enumerate(python_names(ENUMS[name]))]
    assert members(getattr(enums, name)) == expected


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_set_has_one_bit_per_member_in_the_order_of_the_witx(name):
    expected = [(member, 1 << bit) for bit, member in enumerate(python_names(FLAGS[name]))]
    assert members(getattr(flags, name)) == expected


def test_no_enumeration_or_flag_set_is_missing_from_the_listing():
    defined = {
        name
        for module in (enums, flags)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    }
    assert defined == {*ENUMS, *FLAGS}


@pytest.mark.parametrize("name", [*ENUMS, *FLAGS, "Errno", "Rights"])
def test_the_package_offers_every_enumeration_and_flag_set_by_name(name):
    assert name in wasi_spec.__all__
    assert getattr(wasi_spec, name).__name__ == name


def test_all_rights_are_the_lowest_thirty_bits():
    assert rights.ALL_RIGHTS == 0x3FFF_FFFF


KINDS = {
    "file": (
        rights.FILE_RIGHTS,
        """fd_datasync fd_read fd_seek fd_fdstat_set_flags fd_sync fd_tell fd_write fd_advise
        fd_allocate fd_filestat_get fd_filestat_set_size fd_filestat_set_times
        poll_fd_readwrite""",
    ),
    "directory": (
        rights.DIRECTORY_RIGHTS,
        """fd_datasync fd_read fd_fdstat_set_flags fd_sync fd_advise fd_allocate
        path_create_directory path_create_file path_link_source path_link_target path_open
        fd_readdir path_readlink path_rename_source path_rename_target path_filestat_get
        path_filestat_set_size path_filestat_set_times fd_filestat_get fd_filestat_set_times
        path_symlink path_remove_directory path_unlink_file poll_fd_readwrite""",
    ),
    "stream": (
        rights.STREAM_RIGHTS,
        "fd_read fd_write fd_fdstat_set_flags fd_filestat_get poll_fd_readwrite",
    ),
    "socket": (
        rights.SOCKET_RIGHTS,
        """fd_read fd_write fd_fdstat_set_flags fd_filestat_get poll_fd_readwrite sock_shutdown
        sock_accept""",
    ),
}


@pytest.mark.parametrize(("have", "listing"), KINDS.values(), ids=KINDS)
def test_a_kind_of_descriptor_can_have_exactly_the_rights_listed_for_it(have, listing):
    names = {right.name for right in Rights if have & right}
    assert names == set(python_names(listing))
    assert have == sum(Rights[name] for name in names)


def test_rights_of_kinds_are_plain_ints():
    assert [type(have) for have, _ in KINDS.values()] == [int] * len(KINDS)


PLAIN = [kind for kind in vars(numbers).values() if isinstance(kind, type)]


@pytest.mark.parametrize("plain", PLAIN, ids=lambda kind: kind.__name__)
def test_the_plain_numbers_are_those_of_the_type_of_the_same_name(plain):
    members = {name: value for name, value in vars(plain).items() if name.isupper()}
    assert members == {member.name: int(member) for member in getattr(wasi_spec, plain.__name__)}
    assert {type(value) for value in members.values()} == {int}


def test_all_numbers_that_the_host_works_with_are_there_plainly():
    assert {kind.__name__ for kind in PLAIN} == {
        *ENUMS, *FLAGS, "Rights", "Errno",
    } - {"Advice", "Signal", "Lookupflags"}  # fmt: skip
