"""The example programs, run through the public face, say what the GNU tools say."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import wasi_host

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DATA = EXAMPLES / "data"
SOURCES = ["grep", "wc"]


def gnu(tool):
    """The path of the system's GNU tool, or a skip where it is missing or another make."""
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"this system has no {tool} to compare with")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    if "GNU" not in said.stdout:
        pytest.skip(f"this system's {tool} is not GNU's")
    return path


def reference(tool, args, *, cwd, data=b""):
    """What the system's tool answers, in the C locale."""
    env = {"LC_ALL": "C", "PATH": os.environ["PATH"]}
    command = [gnu(tool), *args]
    return subprocess.run(command, cwd=cwd, input=data, capture_output=True, env=env, check=False)


def guest(tool, args, *, dirs, data=b""):
    return wasi_host.run(
        [str(EXAMPLES / f"{tool}.wasm"), *args], dirs=dirs, input=data, capture_output=True
    )


def without_program_path(text, tool):
    """Error lines with the program's path, which each system spells its own way, cut off."""
    return [line.split(f"{tool}: ", 1)[-1] for line in text.decode().splitlines()]


@pytest.fixture(params=["host directory", "memory tree"])
def data_dirs(request):
    """`dirs=` values with the sample data as the working directory."""
    if request.param == "host directory":
        return {".": str(DATA)}
    return {".": wasi_host.MemoryFS(DATA)}


GREP_CASES = {
    "recursively with numbers": ["-rn", "hello", "."],
    "recursively without a file operand": ["-r", "hello"],
    "a deeper tree": ["-rn", "hello", "letters"],
    "a tree named with a slash": ["-r", "hello", "letters/"],
    "ignoring case": ["-rni", "HELLO", "."],
    "names only": ["-rl", "hello", "."],
    "names of files without a match": ["-rL", "hello", "."],
    "counts": ["-rc", "hello", "."],
    "inverted": ["-rnv", "e", "logs", "lists"],
    "whole words": ["-rnw", "hello", "."],
    "whole words, ignoring case": ["-rwic", "HELLO", "."],
    "whole lines": ["-rxn", "Othello", "."],
    "without names": ["-rhn", "hello", "."],
    "one file": ["hello", "lists/greetings.csv"],
    "one file with its name": ["-Hn", "hello", "lists/greetings.csv"],
    "several files": ["-n", "hello", "lists/greetings.csv", "lists/plays.txt"],
    "several files without names": ["-h", "hello", "lists/greetings.csv", "lists/plays.txt"],
    "several files counted": ["-c", "hello", "lists/greetings.csv", "lists/empty.txt"],
    "options after the operands": ["hello", "lists/greetings.csv", "-n"],
    "no newline at the end": ["this", "lists/unfinished.txt"],
    "a basic expression": ["-rn", r"^[A-Z][a-z]*,hallo\|ERROR", "."],
    "a group and an interval": ["-rn", r"\(0\.\)\{3\}", "."],
    "an extended expression": ["-rnE", r"[0-9]{4}-[0-9]+-[0-9]+T.*(ERROR|WARN) ", "."],
    "character classes": ["-rn", r"[[:digit:]]\+ms$", "."],
    "a fixed string": ["-rnF", "$(CC)", "."],
    "two patterns": ["-rn", "-e", "hello", "-e", "hallo", "."],
    "a pattern like an option": ["-rn", "--", "-o", "."],
    "an empty pattern": ["-rc", "", "lists"],
    "no match": ["-rn", "xyzzy", "."],
    "nothing in an empty file": ["x", "lists/empty.txt"],
    "quiet, found": ["-rq", "hello", "."],
    "quiet, not found": ["-q", "hello", "lists/empty.txt"],
}


@pytest.mark.parametrize("args", GREP_CASES.values(), ids=GREP_CASES)
def test_grep_prints_what_gnu_grep_prints(args, data_dirs):
    expected = reference("grep", args, cwd=DATA)
    result = guest("grep", args, dirs=data_dirs)
    assert sorted(result.stdout.splitlines()) == sorted(expected.stdout.splitlines())
    assert (result.returncode, result.stderr) == (expected.returncode, expected.stderr)


GREP_INPUTS = {
    "plain": ["hello"],
    "numbered": ["-n", "hello"],
    "named": ["-Hn", "hello"],
    "counted": ["-c", "hello"],
    "listed": ["-l", "hello"],
    "beside a file": ["hello", "-", "lists/greetings.csv"],
}


@pytest.mark.parametrize("args", GREP_INPUTS.values(), ids=GREP_INPUTS)
def test_grep_reads_standard_input_as_gnu_grep_does(args, data_dirs):
    data = b"one\nsay hello\n\nhello twice hello\nlast hello"
    expected = reference("grep", args, cwd=DATA, data=data)
    result = guest("grep", args, dirs=data_dirs, data=data)
    assert (result.stdout, result.returncode) == (expected.stdout, expected.returncode)


def test_grep_says_that_a_binary_file_matches_and_does_not_print_it(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"\0\1\2 hello \xff\nhello\n")
    expected = reference("grep", ["hello", "a.bin"], cwd=tmp_path)
    result = guest("grep", ["hello", "a.bin"], dirs={".": str(tmp_path)})
    assert result.returncode == expected.returncode == 0
    assert b"a.bin" in result.stdout
    assert b"hello" not in result.stdout


def test_grep_finds_lines_far_longer_than_its_buffer(tmp_path):
    line = b"x" * 500_000
    (tmp_path / "long.txt").write_bytes(line + b"needle\n" + line + b"\nneedle\n")
    expected = reference("grep", ["-n", "needle", "long.txt"], cwd=tmp_path)
    result = guest("grep", ["-n", "needle", "long.txt"], dirs={".": str(tmp_path)})
    assert result.stdout == expected.stdout


@pytest.mark.parametrize(
    "args",
    [["hello", "missing.txt"], ["hello", "missing.txt", "lists/greetings.csv"], ["hello", "lists"]],
    ids=["a missing file", "a missing file beside a good one", "a directory without -r"],
)
def test_grep_reports_errors_with_status_2(args, data_dirs):
    expected = reference("grep", args, cwd=DATA)
    result = guest("grep", args, dirs=data_dirs)
    assert result.returncode == expected.returncode == 2
    assert result.stdout == expected.stdout
    assert without_program_path(result.stderr, "grep") == without_program_path(
        expected.stderr, "grep"
    )


@pytest.mark.parametrize(
    "args",
    [["-Z7", "x"], ["a\\("], ["["], []],
    ids=["an unknown option", "an open group", "an open bracket", "no pattern"],
)
def test_grep_refuses_bad_usage_with_status_2(args):
    result = guest("grep", args, dirs={})
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"rep: " in result.stderr or b"Usage" in result.stderr


def test_grep_does_not_follow_links_inside_a_tree(tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t/a.txt").write_text("hello\n")
    (tmp_path / "t/link").symlink_to("a.txt")
    (tmp_path / "t/loop").symlink_to(".")
    expected = reference("grep", ["-r", "hello", "t"], cwd=tmp_path)
    result = guest("grep", ["-r", "hello", "t"], dirs={".": str(tmp_path)})
    assert result.stdout == expected.stdout == b"t/a.txt:hello\n"


WC_CASES = {
    "one file": ["logs/server.log"],
    "lines of one file": ["-l", "logs/server.log"],
    "words of one file": ["-w", "logs/server.log"],
    "bytes of one file": ["-c", "logs/server.log"],
    "two columns": ["-lc", "logs/server.log"],
    "several files and a total": ["README.txt", "logs/server.log", "lists/empty.txt"],
    "one column of several files": ["-l", "README.txt", "logs/server.log"],
    "an empty file": ["lists/empty.txt"],
    "no newline at the end": ["lists/unfinished.txt"],
    "a missing file": ["lists/missing.txt"],
    "a missing file between good ones": ["README.txt", "nowhere", "lists/plays.txt"],
    "names after a double dash": ["--", "README.txt"],
}


@pytest.mark.parametrize("args", WC_CASES.values(), ids=WC_CASES)
def test_wc_prints_what_gnu_wc_prints(args, data_dirs):
    expected = reference("wc", args, cwd=DATA)
    result = guest("wc", args, dirs=data_dirs)
    assert (result.stdout, result.returncode) == (expected.stdout, expected.returncode)
    assert without_program_path(result.stderr, "wc") == without_program_path(expected.stderr, "wc")


WC_INPUTS = {
    "all counts": ([], b"one two\nthree"),
    "lines": (["-l"], b"one two\nthree"),
    "words": (["-w"], b" one  two\t\nthree\v\f\r"),
    "bytes": (["-c"], b"\0\1\2"),
    "two counts": (["-lw"], b"one two\nthree"),
    "nothing": ([], b""),
    "named with a dash": (["-"], b"one two\nthree"),
    "beside a file": (["-", "README.txt"], b"one two\nthree"),
    "many chunks": ([], b"word " * 100_000),
}


@pytest.mark.parametrize(("args", "data"), WC_INPUTS.values(), ids=WC_INPUTS)
def test_wc_counts_standard_input_as_gnu_wc_does(args, data, data_dirs):
    expected = reference("wc", args, cwd=DATA, data=data)
    result = guest("wc", args, dirs=data_dirs, data=data)
    assert (result.stdout, result.returncode) == (expected.stdout, expected.returncode)


@pytest.mark.parametrize("name", SOURCES)
def test_each_program_is_committed_stripped_and_small(name):
    program = (EXAMPLES / f"{name}.wasm").read_bytes()
    assert program.startswith(b"\0asm")
    assert len(program) < 60_000
    assert b"name" not in custom_sections(program)
    assert not [n for n in custom_sections(program) if n.startswith(b".debug")]


def custom_sections(program):
    """The names of a module's custom sections."""
    found, at = [], 8
    while at < len(program):
        kind = program[at]
        size, body = leb(program, at + 1)
        if kind == 0:
            length, start = leb(program, body)
            found.append(program[start : start + length])
        at = body + size
    return found


def leb(data, at):
    """An unsigned LEB128 number and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at
