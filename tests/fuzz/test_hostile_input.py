"""A little of the fuzzing; ``python -m tests.fuzz`` does more of it."""

import pytest

from tests.attacks.backends import BACKENDS
from tests.fuzz.arguments import exits, fuzz
from tests.fuzz.modules import in_child, outcome, seeds
from wasi_host import Filter, MemoryFS, Overlay, Quota


def test_modules_with_their_bytes_changed_are_refused_or_run_to_an_end():
    ended = in_child(seed=1, count=150)
    assert ended.total() == 150
    assert {"refused", "trapped", "ended"} <= ended.keys()


def test_the_modules_they_are_made_of_end_in_every_way():
    assert {outcome(data) for data in seeds()} >= {"refused", "trapped", "ended"}


SOURCES = {
    "a host directory": lambda path: path,
    "memory": lambda path: MemoryFS({"file": b"x"}),
    "an overlay": lambda path: Overlay(path),
    "a quota": lambda path: Quota(MemoryFS(), max_bytes=1000, max_inodes=10),
    "a filter": lambda path: Filter(path, deny=["secret*"]),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("made_by", BACKENDS)
def test_any_numbers_for_any_function_answer_an_errno(made_by, source, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").write_bytes(b"inside")
    (root / "link").symlink_to("../outside")
    (tmp_path / "outside").write_bytes(b"outside")
    backend = BACKENDS[made_by]({"/": source(root)}, stdin=b"input", args=["word"])
    try:
        answers = fuzz(backend, seed=1, count=3000)
    finally:
        backend.close()
    assert (tmp_path / "outside").read_bytes() == b"outside"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "root"]
    assert {"SUCCESS", "FAULT", "BADF", "INVAL"} <= {answer for _, answer in answers}


@pytest.mark.parametrize("code", [0, 255, 2**31, 2**32 - 1])
def test_proc_exit_takes_any_number(code):
    backend = BACKENDS["values"]({})
    try:
        assert exits(backend, code) == code
    finally:
        backend.close()
