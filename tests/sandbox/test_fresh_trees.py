"""What a guest is told of the trees made for one run is the same in each run."""

from wasi_host.fs.memory import MemoryFS
from wasi_host.sources import Preopens

DIRS = {"/a": {"f": b"1", "d": {"g": b"2"}}, "/b": {"f": b"3"}}


def stats(preopens, **options):
    return [
        filesystem.open_root().stat_at(path, False)
        for _, filesystem in preopens.open(**options)
        for path in (".", "f")
    ]


def test_device_inode_and_times_are_the_same_in_each_run():
    preopens = Preopens(DIRS)
    first = stats(preopens, clock=lambda: 5)
    MemoryFS()  # takes a number of the process
    assert stats(preopens, clock=lambda: 5) == stats(Preopens(DIRS), clock=lambda: 5) == first
    assert {stat[5:] for stat in first} == {(5, 5, 5)}


def test_trees_of_one_run_have_devices_of_their_own():
    devices = [stat[0] for stat in stats(Preopens({**DIRS, "/c": MemoryFS({"f": b""})}))]
    assert devices[0] == devices[1]
    assert len(set(devices)) == 3


def test_a_host_tree_is_read_in_the_order_of_its_names(tmp_path):
    for name in ("c", "a", "d", "b"):
        (tmp_path / name).write_bytes(b"")
    assert MemoryFS(tmp_path).listdir() == ["a", "b", "c", "d"]
