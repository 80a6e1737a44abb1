"""`wasi-host run --overlay --diff --apply`."""

import pytest
from click.testing import CliRunner

from tests.examples.test_examples import EXAMPLES
from wasi_host.cli import cli

SORT = [str(EXAMPLES / "sort.wasm"), "-o", "/src/words", "/src/words"]


@pytest.fixture
def words(tmp_path):
    (tmp_path / "words").write_text("b\na\n")
    return tmp_path / "words"


def invoke(*options, program=SORT):
    return CliRunner().invoke(cli, ["run", *options, *program])


def test_an_overlay_stays_as_it_is_and_diff_shows_on_standard_error_what_would_change(words):
    done = invoke("--overlay", f"{words.parent}::/src", "--diff")
    assert done.exit_code == 0
    assert done.stdout == ""
    assert "--- a/src/words\n+++ b/src/words\n@@ -1,2 +1,2 @@\n+a\n b\n-a\n" in done.stderr
    assert words.read_text() == "b\na\n"


def test_apply_writes_what_changed(words):
    done = invoke("--overlay", f"{words.parent}::/src", "--apply")
    assert (done.exit_code, done.stderr) == (0, "")
    assert words.read_text() == "a\nb\n"


def test_apply_without_an_overlay_is_a_usage_error(words):
    done = invoke("--dir", f"{words.parent}::/src", "--apply")
    assert done.exit_code == 2
    assert "--overlay: give one" in done.stderr
    assert words.read_text() == "b\na\n"


def test_after_a_trap_nothing_is_applied(words, tmp_path):
    (tmp_path / "trap.wat").write_text("""
        (module
          (import "wasi_snapshot_preview1" "path_unlink_file"
            (func $unlink (param i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "words")
          (func (export "_start")
            (drop (call $unlink (i32.const 3) (i32.const 0) (i32.const 5))) unreachable))
    """)
    program = [str(tmp_path / "trap.wat")]
    done = invoke("--overlay", str(words.parent), "--diff", "--apply", program=program)
    assert done.exit_code == 134
    assert "deleted file mode" in done.stderr
    assert "nothing was applied" in done.stderr
    assert words.read_text() == "b\na\n"


def test_a_missing_directory_is_a_usage_error():
    done = invoke("--overlay", "/nowhere::/src")
    assert done.exit_code == 2
    assert "--overlay" in done.stderr
