"""`Limits.fs_bytes` and `Limits.inodes`: on by default, named in the result."""

import errno

import pytest

import wasi_host
from tests.runtimes.guests import command
from wasi_spec import Errno

#: Creates "f" in the first directory and writes at an offset until that fails; exits with the
#: errno. The iovec at 0 is 64 KiB from 0 on.
FILL = """
(drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 1)
  (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 16)))
(i32.store (i32.const 4) (i32.const 65536))
(local.set $at (i64.const {at}))
(loop $again
  (local.set $errno (call $fd_pwrite (i32.load (i32.const 16)) (i32.const 0) (i32.const 1)
    (local.get $at) (i32.const 20)))
  (local.set $at (i64.add (local.get $at) (i64.load32_u (i32.const 20))))
  (local.set $left (i32.sub (local.get $left) (i32.const 1)))
  (br_if $again (i32.and (i32.eqz (local.get $errno)) (i32.ne (local.get $left) (i32.const 0)))))
(call $proc_exit (local.get $errno))"""


def fill(at=0, writes=0):
    """A program that writes so often (0: for ever) from `at` on."""
    head = "(local $at i64) (local $errno i32) (local $left i32)"
    body = f"{head} (local.set $left (i32.const {writes})) {FILL.format(at=at)}"
    return command(
        body, '(data (i32.const 200) "f")', wasi=["path_open", "fd_pwrite", "proc_exit"]
    )


def test_filling_a_tree_in_memory_ends_with_dquot_at_256_mib_by_default():
    outbox = wasi_host.MemoryFS()
    result = wasi_host.run([fill()], dirs={"/": outbox})
    assert result.returncode == Errno.DQUOT
    assert result.limits_hit == {"fs_bytes"}
    assert outbox.open_root().stat_entry("f")[4] == 256 << 20


def test_the_limit_binds_a_fresh_tree_and_all_trees_together():
    limits = wasi_host.Limits(fs_bytes=100_000)
    tree = {"kept": b"x" * 90_000}
    for dirs in ({"/": tree}, {"/": {}, "/other": tree}):
        result = wasi_host.run([fill()], dirs=dirs, limits=limits)
        assert result.returncode == Errno.DQUOT
        assert result.limits_hit == {"fs_bytes"}


def test_one_byte_at_one_gib_passes_by_default():
    outbox = wasi_host.MemoryFS()
    result = wasi_host.run([fill(at=1 << 30, writes=1)], dirs={"/": outbox})
    assert (result.returncode, result.limits_hit) == (0, set())
    assert outbox.stored[0] < 1 << 20


def test_too_many_inodes_are_named():
    result = wasi_host.run([fill()], dirs={"/": {}}, limits=wasi_host.Limits(inodes=0))
    assert result.returncode == Errno.BADF  # of writing to what could not be created
    assert result.limits_hit == {"inodes"}


def test_a_host_directory_is_not_bound_by_the_limits_of_memory(tmp_path):
    limits = wasi_host.Limits(fs_bytes=0, inodes=0)
    result = wasi_host.run([fill(writes=3)], dirs={"/": tmp_path}, limits=limits)
    assert (result.returncode, result.limits_hit) == (0, set())
    assert (tmp_path / "f").stat().st_size == 3 * 65536


def test_python_fills_a_kept_tree_beyond_the_limit_and_a_run_then_has_no_room():
    outbox = wasi_host.MemoryFS()
    outbox.write_bytes("big", b"x" * 2000)
    limits = wasi_host.Limits(fs_bytes=1000)
    result = wasi_host.run([fill()], dirs={"/": outbox}, limits=limits)
    assert result.returncode == Errno.DQUOT
    assert outbox.open_root().stat_entry("f")[4] == 0


def test_a_quota_is_no_limit_of_the_run(tmp_path):
    result = wasi_host.run([fill()], dirs={"/": wasi_host.Quota(tmp_path, max_bytes=100_000)})
    assert (result.returncode, result.limits_hit) == (Errno.DQUOT, set())
    assert (tmp_path / "f").stat().st_size == 100_000


@pytest.mark.parametrize("wrapper", [wasi_host.ReadOnly, wasi_host.Quota])
def test_a_wrapper_that_cannot_be_is_told_when_it_is_made(wrapper, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        wrapper(tmp_path / "missing")
    assert caught.value.errno == errno.ENOENT
