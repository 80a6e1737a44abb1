"""What a run changed in overlays: told by its result, applied, discarded, pickled."""

import pickle

import pytest

import wasi_host
from tests.examples.test_examples import EXAMPLES

SORT = [str(EXAMPLES / "sort.wasm"), "-o", "/src/words", "/src/words"]


@pytest.fixture
def words(tmp_path):
    (tmp_path / "words").write_text("b\na\n")
    return tmp_path / "words"


def sort(words, **dirs):
    overlay = wasi_host.Overlay(words.parent)
    result = wasi_host.run(SORT, dirs={"/src": overlay, **dirs}, capture_output=True, check=True)
    return overlay, result


def test_a_result_has_the_changes_of_its_overlays_at_their_guest_paths(words):
    overlay, result = sort(words)
    (change,) = result.changes
    assert (change.kind, change.path) == ("changed", "src/words")
    assert (change.before.bytes, change.after.bytes) == (b"b\na\n", b"a\nb\n")
    assert str(overlay.changes) == (
        "diff --git a/words b/words\n--- a/words\n+++ b/words\n"
        "@@ -1,2 +1,2 @@\n+a\n b\n-a\n"
    )  # fmt: skip
    assert words.read_text() == "b\na\n"
    assert overlay.read_bytes("words") == b"a\nb\n"


def test_changes_of_a_run_are_applied_or_discarded(words):
    overlay, result = sort(words)
    result.changes.discard()
    assert len(overlay.changes) == 0
    overlay, result = sort(words)
    result.changes.apply()
    assert words.read_text() == "a\nb\n"
    assert len(overlay.changes) == 0


def test_a_run_without_an_overlay_has_nothing_to_apply():
    result = wasi_host.run([str(EXAMPLES / "wc.wasm")], input="x", capture_output=True, text=True)
    assert list(result.changes) == []
    with pytest.raises(ValueError, match="no directory of this run is an overlay"):
        result.changes.apply()


def test_a_result_pickles_with_the_bytes_of_its_changes(words):
    _, result = sort(words)
    again = pickle.loads(pickle.dumps(result))
    assert str(again.changes) == str(result.changes)
    assert again.changes[0].after.sha256 == result.changes[0].after.sha256
    with pytest.raises(ValueError, match="no overlay here"):
        again.changes.apply()


def test_a_wrapper_around_an_overlay_tells_its_changes(words):
    overlay = wasi_host.Overlay(words.parent)
    dirs = {"/src": wasi_host.Quota(overlay, max_bytes=1000)}
    result = wasi_host.run(SORT, dirs=dirs, capture_output=True, check=True)
    assert [change.path for change in result.changes] == ["src/words"]


def test_a_provider_tells_what_is_different_by_now(words):
    overlay = wasi_host.Overlay(words.parent)
    with wasi_host.Wasi(dirs={"/": overlay}) as wasi:
        overlay.open_root().unlink_at("words")
        assert [(change.kind, change.path) for change in wasi.changes] == [("deleted", "words")]


@pytest.mark.parametrize("tree", [dict, wasi_host.MemoryFS])
def test_changes_in_trees_in_memory_are_told_too(tree):
    dirs = {"/src": tree({"words": b"b\na\n", "other": b""})}
    result = wasi_host.run(SORT, dirs=dirs, capture_output=True, check=True)
    (change,) = result.changes
    assert (change.kind, change.path) == ("changed", "src/words")
    assert (change.before.bytes, change.after.bytes) == (b"b\na\n", b"a\nb\n")
    with pytest.raises(ValueError, match="no directory"):
        result.changes.apply()


def test_changes_of_a_tree_that_another_run_began_with_are_over():
    fs = wasi_host.MemoryFS({"words": b"b\na\n"})
    first, second = (
        wasi_host.run(SORT, dirs={"/src": fs}, capture_output=True, check=True) for _ in range(2)
    )
    assert len(second.changes) == 0
    with pytest.raises(ValueError, match="is over"):
        _ = first.changes
