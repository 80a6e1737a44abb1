"""Programs nobody here wrote give what they give on wasmtime's own WASI, and natively.

They are large, so nothing is downloaded: WASI_HOST_PROGRAMS names a directory that has them.
"""

import dataclasses
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import wasi_host

pytest.importorskip("wasmtime")

from benchmarks.machine import ROOT
from benchmarks.program_hosts import Ours, OursOnLinker, Wasmtimes, outcome
from benchmarks.real_programs import (
    BUNDLE,
    CPYTHON,
    CPYTHON_LIBRARY,
    MICROPYTHON,
    PROGRAMS,
    PYTHON_SCRIPT,
    VARIABLE,
)

_WHERE = os.environ.get(VARIABLE)
DIRECTORY = Path(_WHERE or os.devnull).resolve()
BY_NAME = {program.name: program for program in PROGRAMS}

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(
        not _WHERE,
        reason=f"{VARIABLE} names no directory with the programs; docs/programs.md fills one",
    ),
]


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    """Compiled code lies beside the programs: compiling takes minutes, and once is enough."""
    monkeypatch.setenv("WASI_HOST_CACHE", str(DIRECTORY / "compiled" / "wasi_host"))
    return DIRECTORY / "compiled"


@pytest.fixture
def job_of(tmp_path):
    """A function that makes the job of a program, or skips where the program is not there."""

    def make(name):
        program = BY_NAME[name]
        if why := program.missing(DIRECTORY):
            pytest.skip(why)
        (tmp_path / "job").mkdir()
        return program.prepare(DIRECTORY, tmp_path / "job")

    return make


def ours(job, scratch, compiled):
    host = OursOnLinker(job, compiled) if job.foreign else Ours(job)
    return outcome(job, scratch, host.run)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_program_gives_what_it_gives_on_wasmtimes_own_wasi(name, job_of, tmp_path, compiled):
    job = job_of(name)
    here, there = (
        ours(job, tmp_path, compiled),
        outcome(job, tmp_path, Wasmtimes(job, compiled).run),
    )
    assert here.code == 0, here.stderr
    assert here.stdout or all(here.files)
    assert (here.code, here.stdout, here.files) == (there.code, there.stdout, there.files)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_program_gives_the_same_over_memory_as_over_the_host(name, job_of, tmp_path, compiled):
    job = job_of(name)
    before = {guest: wasi_host.MemoryFS(path) for guest, path in job.dirs.items()}
    over_host = ours(job, tmp_path, compiled)
    over_memory = ours(dataclasses.replace(job, dirs=before), tmp_path, compiled)
    written = tuple(
        before[guest].read_bytes(output.name)
        for output in job.outputs
        for guest, path in job.dirs.items()
        if path == output.parent
    )
    assert (over_memory.code, over_memory.stdout) == (over_host.code, over_host.stdout)
    assert written == over_host.files


def test_esbuilds_bundle_is_that_of_the_native_esbuild(job_of, tmp_path, compiled):
    job = job_of("esbuild")
    native = DIRECTORY / "node_modules/esbuild/bin/esbuild"
    if not native.exists():
        pytest.skip(f"no native esbuild of the same version: {native}")
    said = subprocess.run([native, *BUNDLE], cwd=job.dirs["/"], capture_output=True, check=True)
    assert ours(job, tmp_path, compiled).stdout == said.stdout


def test_the_assemblyscript_program_counts_as_python_counts(job_of, tmp_path, compiled):
    job = job_of("assemblyscript")
    words = [word for word in job.stdin.decode().split() if len(word) >= 5]
    order = sorted(Counter(words).items(), key=lambda item: (-item[1], item[0]))
    here = ours(job, tmp_path, compiled)
    assert here.stdout.decode() == "".join(f"{count} {word}\n" for word, count in order[:20])
    assert here.stderr.decode() == f"{len(words)} words\n"


@pytest.mark.parametrize("name", ["micropython", "cpython"])
def test_a_python_interpreter_computes_what_this_one_does(name, job_of, tmp_path, compiled):
    job = job_of(name)
    (tmp_path / "native").mkdir()
    script = PYTHON_SCRIPT.replace("/work", str(tmp_path / "native"))
    native = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert json.loads(ours(job, tmp_path, compiled).stdout) == json.loads(native.stdout)


@pytest.mark.parametrize("files", [[MICROPYTHON], [CPYTHON, CPYTHON_LIBRARY]], ids=["micro", "c"])
def test_the_example_runs_a_python_interpreter_over_memory(files):
    paths = [DIRECTORY / file for file in files]
    if absent := [path for path in paths if not path.exists()]:
        pytest.skip(f"not there: {absent[0]}")
    said = subprocess.run(
        [sys.executable, ROOT / "examples" / "python_interpreter.py", *paths],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    *lines, report = said.stdout.splitlines()
    assert lines == ["Cairo 31", "Lima 33", "Oslo 37", "the script ended with 3"]
    assert json.loads(report.removeprefix("and left ")) == {"best": "Oslo", "pieces": 37}
