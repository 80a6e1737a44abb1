"""What only host directories have: special files, odd names, other processes, the capability."""

import os
import pickle
import socket
import threading

import pytest

from tests.fs.actions import UPDATE, act, outcome
from tests.fs.backends import SECRET, open_descriptors, without
from wasi_host.fs import openat2
from wasi_host.fs.host import HostDir, HostFile, HostStream
from wasi_host.fs.host_nodes import PROBES

READ, WRITE = os.O_RDONLY, os.O_WRONLY
WAYS = {
    "openat2": (),
    "walk": ("openat2",),
    "portable": ("openat2", "o_path", "rwf_append", "proc"),
}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device nodes")


@pytest.fixture(params=WAYS)
def way(request):
    with without(*WAYS[request.param]):
        yield request.param


@pytest.fixture
def root(tmp_path, way):
    before = open_descriptors()
    (tmp_path / "root" / "dir").mkdir(parents=True)
    (tmp_path / "root" / "file").write_bytes(b"content")
    fs = HostDir(tmp_path / "root")
    directory = fs.open_root()
    yield directory
    directory.close()
    fs.close()
    assert open_descriptors() == before


@pytest.fixture
def host(tmp_path):
    return tmp_path / "root"


def test_a_missing_directory_is_refused_at_once(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such directory"):
        HostDir(tmp_path / "missing")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(NotADirectoryError, match="not a directory"):
        HostDir(tmp_path / "fifo")


def test_the_path_may_be_a_link_to_a_directory(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    fs = HostDir(tmp_path / "link")
    (tmp_path / "link").unlink()
    assert outcome(fs.open_root().open_at, "new", UPDATE, True) == "ok"
    assert (tmp_path / "real" / "new").exists()


def test_it_pickles_by_its_path(tmp_path):
    (tmp_path / "file").touch()
    fs = pickle.loads(pickle.dumps(HostDir(tmp_path, readonly=True)))
    assert fs.readonly
    assert repr(fs) == f"HostDir({os.fspath(tmp_path)!r}, readonly=True)"
    assert [entry.name for entry in fs.open_root().entries()] == ["file"]


def test_opening_a_root_opens_no_descriptor(tmp_path):
    fs = HostDir(tmp_path)
    before = open_descriptors()
    roots = [fs.open_root() for _ in range(10)]
    assert open_descriptors() == before
    assert len({root.fd for root in roots}) == 1
    roots[0].close()
    assert outcome(roots[1].stat_at, ".", True) == "ok"
    assert outcome(roots[0].stat_at, "x", True) == "EBADF"


def test_closing_the_filesystem_waits_for_the_roots(tmp_path):
    before = open_descriptors()
    fs = HostDir(tmp_path)
    root = fs.open_root()
    (tmp_path / "dir").mkdir()
    inside = root.open_at("dir", READ, True)
    fs.close()
    fs.close()
    with pytest.raises(ValueError, match="is closed"):
        fs.open_root()
    assert outcome(root.stat_at, "dir", True) == "ok"
    root.close()
    assert outcome(inside.stat_at, ".", True) == "ok"
    inside.close()
    assert open_descriptors() == before


def test_a_regular_file_is_a_host_file_with_its_descriptor(root):
    node = root.open_at("file", READ, True)
    assert type(node) is HostFile
    assert os.pread(node.fd, 100, 0) == b"content"
    assert not os.get_inheritable(node.fd)
    node.close()
    assert node.fd == -1


def test_new_files_and_directories_have_the_modes_of_the_umask(root, host):
    before = os.umask(0o027)
    try:
        root.open_at("new", UPDATE, True).close()
        root.open_at("dir/new", UPDATE, True).close()
        root.make_dir_at("sub")
    finally:
        os.umask(before)
    assert (host / "new").stat().st_mode & 0o777 == 0o640
    assert (host / "dir" / "new").stat().st_mode & 0o777 == 0o640
    assert (host / "sub").stat().st_mode & 0o777 == 0o750


def test_a_fifo_opens_for_reading_at_once_and_for_writing_only_with_a_reader(root, host):
    os.mkfifo(host / "dir" / "fifo")
    for path in ("dir/fifo", "dir/../dir/fifo"):
        assert outcome(root.open_at, path, WRITE, True) == "ENXIO"
        reader = root.open_at(path, READ, True)
        writer = root.open_at(path, WRITE, True)
        assert isinstance(reader, HostStream)
        assert reader.filetype == 0
        assert reader.read_ready() is None
        assert outcome(reader.read, 10) == "EAGAIN"
        assert writer.write(b"words") == 5
        assert reader.read(10) == b"words"
        writer.close()
        assert reader.read(10) == b""
        assert reader.fileno() == reader.fd
        reader.close()
    assert root.stat_at("dir/fifo", True)[2] == 0


def test_a_socket_is_enxio(root, host):
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(".", READ)
        try:
            os.chdir(host)
            listener.bind("socket")
        finally:
            os.fchdir(here)
            os.close(here)
        assert outcome(root.open_at, "socket", READ, True) == "ENXIO"
        assert outcome(root.open_at, "dir/../socket", READ, True) == "ENXIO"
        assert root.stat_at("socket", True)[2] == 0
        assert {entry.name: entry.filetype for entry in root.entries()}["socket"] == 0


@as_root
def test_a_device_node_opens(root, host):
    try:
        os.mknod(host / "null", 0o020666, os.makedev(1, 3))
        node = root.open_at("null", os.O_RDWR, True)
    except PermissionError:
        pytest.skip("device nodes cannot be made or opened here")
    assert node.filetype == 2
    assert node.write(b"gone") == 4
    assert node.read(10) == b""
    node.close()
    assert root.stat_at("null", True)[2] == 2


@pytest.mark.skipif(not PROBES.proc, reason="no /proc")
def test_the_links_of_proc_that_jump_are_eloop():
    for missing in ((), ("openat2",)):
        with without(*missing):
            if not PROBES.proc and not openat2.available():
                continue  # as on a system without /proc: there is no such link to refuse
            fs = HostDir("/proc/self")
            root = fs.open_root()
            for path in ("exe", "cwd", "root/etc", "cwd/x", "fd/0", "task/../exe", "ns/mnt"):
                assert outcome(root.open_at, path, READ, True) == "ELOOP", path
                assert outcome(root.stat_at, path, True) == "ELOOP", path
            assert outcome(root.stat_at, "exe", False) == "ok"
            assert outcome(root.read_link_at, "exe") == "EPERM"
            root.close()
            proc = HostDir("/proc").open_root()
            assert outcome(proc.open_at, "mounts", READ, True) == "ok"
            assert outcome(proc.open_at, "self/../mounts", READ, True) == "ok"
            proc.close()


def test_names_that_are_no_utf_8_are_listed_as_surrogates(root, host):
    try:
        os.mkdir(os.fsencode(host) + b"/\xff")
    except OSError:
        pytest.skip("this filesystem takes only UTF-8")
    os.symlink(b"\xfe", os.fsencode(host) + b"/link")
    assert "\udcff" in [entry.name for entry in root.entries()]
    assert root.stat_at("\udcff", True)[2] == 3
    assert root.stat_at("\udcff/../\udcff", True)[2] == 3
    assert root.read_link_at("link") == "\udcfe"


def test_times_before_1970_read_as_0(root, host):
    os.utime(host / "file", ns=(-5_000_000_001, -1))
    assert root.stat_at("file", True)[5:7] == (0, 0)
    assert root.stat_at("dir/../file", True)[5:7] == (0, 0)
    root.set_times_at("file", True, 7, None)
    assert os.stat(host / "file").st_mtime_ns == -1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may search any directory")
def test_a_directory_that_may_not_be_searched_is_eacces_for_dots_too(root, host, way):
    (host / "dir" / "sub").mkdir()
    (host / "dir").chmod(0o444)
    try:
        for path in ("dir/sub", "dir/.", "dir/..", "dir/../file", "dir/./sub"):
            assert outcome(root.stat_at, path, True) == "EACCES", path
        if way == "portable":
            return  # without O_PATH a directory has to be readable to be walked through
        (host / "dir").chmod(0o111)
        assert outcome(root.stat_at, "dir/./sub/..", True) == "ok"
        assert outcome(root.open_at, "dir/sub", READ, True) == "ok"
        assert outcome(root.open_at, "dir", READ, True) == "EACCES"
        assert outcome(root.open_at, "dir/sub/..", READ, True) == "EACCES"
    finally:
        (host / "dir").chmod(0o755)


def taken_one_more(taken, root):
    taken.append(os.dup(root.fd))


def test_running_out_of_descriptors_is_emfile_and_leaves_nothing(root):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(open_descriptors() or 64, soft) + 8, hard))
    try:
        while outcome(taken_one_more, taken, root) == "ok":
            pass
        assert outcome(root.open_at, "new", UPDATE, True) == "EMFILE"
        assert outcome(root.open_at, "dir/new", UPDATE, True) == "EMFILE"
        assert outcome(root.make_dir_at, "dir/new") == "EMFILE"
        assert outcome(root.open_at, "file", READ, True) == "EMFILE"
    finally:
        for fd in taken:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert {entry.name for entry in root.entries()} == {"dir", "file"}


def test_a_directory_moved_out_of_the_root_has_no_way_up(root, host, tmp_path):
    (host / "dir" / "sub").mkdir()
    inside = root.open_at("dir", os.O_DIRECTORY, True)
    (host / "dir").rename(tmp_path / "outside")
    for path in ("..", "sub/../..", "../secret", "sub/../../root"):
        for action in ("open", "create", "stat", "mkdir", "unlink", "readlink", "rename-from"):
            assert act(action, inside, path) == "EPERM"
    assert inside.parent_ino() is None
    inside.open_at("sub/new", UPDATE, True).close()
    assert (tmp_path / "outside" / "sub" / "new").exists()
    inside.close()


def test_a_file_limit_of_the_process_is_efbig(root):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    node = root.open_at("file", os.O_RDWR, True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        assert outcome(node.pwrite, b"x", 10_000) == "EFBIG"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    node.close()


def test_a_link_swapped_in_while_the_path_is_walked_never_leads_out(root, host, tmp_path):
    """Another thread swaps a directory with a link to the outside, all the time."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(SECRET)
    (host / "dir" / "secret").write_bytes(b"inside")
    os.symlink("../outside", host / "out")
    stop, rounds = threading.Event(), 0

    def swap():
        while not stop.is_set():
            os.rename(host / "dir", host / "kept")
            os.rename(host / "out", host / "dir")
            os.rename(host / "dir", host / "out")
            os.rename(host / "kept", host / "dir")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        seen = set()
        while rounds < 4_000:
            rounds += 1
            for path in ("dir/secret", "dir/../dir/secret", "out/../dir/secret"):
                try:
                    node = root.open_at(path, READ, True)
                except OSError:
                    continue
                seen.add(node.pread(100, 0))
                node.close()
            outcome(root.open_at, "dir/planted", UPDATE, True)
            outcome(root.make_dir_at, "dir/made")
            outcome(root.rename_at, "file", root, "dir/moved")
            outcome(root.rename_at, "dir/moved", root, "file")
            outcome(root.unlink_at, "dir/planted")
    finally:
        stop.set()
        thread.join()
    assert seen <= {b"inside"}
    assert os.listdir(tmp_path / "outside") == ["secret"]


def test_what_linux_alone_has_is_used_where_it_is():
    if openat2.available():
        assert PROBES.o_path
