"""One C program, built for `wasi_snapshot_preview1` and for `wasi_unstable`, says the same."""

from pathlib import Path

import pytest

import wasi_host
from wasi_host.runtimes.contract import Mode

GUESTS = Path(__file__).parents[1] / "guests"
MODULES = ["preview1", "unstable"]
EXPECTED = """args 3
open 0
write 0
written 10
seek to 3 0
at 3
seek by 2 0
at 5
seek from the end 0
at 6
tell 0
at 6
whence 3 28
read 0
6789
link 0
fd_filestat_get 0
  filetype 4
  nlink 2
  size 10
  mtim 1
path_filestat_get 0
  filetype 3
  nlink 2
  size 0
  mtim 1
poll 0
events 1
  userdata 11
  type 1
  nbytes 10
poll of a clock 0
events 1
  type 0
close 0
closed 8
readdir 0
bytes 134
"""


@pytest.mark.parametrize("module", MODULES)
def test_the_program_imports_its_own_module_only(module):
    program = wasi_host.Module(GUESTS / f"both_{module}.wasm", cache=False)
    names = {item.module for item in program.variant(Mode()).compiled.imports}
    assert names == {"wasi_snapshot_preview1" if module == "preview1" else "wasi_unstable"}


@pytest.mark.parametrize("filesystem", ["host", "memory"])
@pytest.mark.parametrize("module", MODULES)
def test_the_program_says_the_same_on_both_modules(module, filesystem, tmp_path):
    (tmp_path / "sub").mkdir()
    done = wasi_host.run(
        [GUESTS / f"both_{module}.wasm", "a", "b"],
        dirs={"/": {"sub": {}} if filesystem == "memory" else tmp_path},
        capture_output=True,
        text=True,
    )
    size_of_directory = "  filetype 3\n  nlink 2\n  size "
    head, _, tail = done.stdout.partition(size_of_directory)
    said = head + size_of_directory + "0\n" + tail.partition("\n")[2]  # a filesystem's own
    assert (done.returncode, said) == (42, EXPECTED)
