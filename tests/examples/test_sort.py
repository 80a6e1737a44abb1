"""The example `sort`, run through the public face, puts lines where GNU sort puts them."""

import random

import pytest

import wasi_host
from tests.examples.test_examples import DATA, EXAMPLES, custom_sections, guest, reference

FILES = {
    "letters.txt": b"b\nB\na\n\nA\nab\na b\n a\n\ta\nb\n",
    "numbers.txt": b"10\n9\n-3\n-30\n0\n-0\n00\n1.5\n1.50\n1.05\n.5\n-.5\nx\n\n  7\n1e3\n+4\n- 1\n"
    b"123456789012345678901234567890\n123456789012345678901234567891\n-\n.\n",
    "table.csv": b"pear,3,x\napple,10,y\nApple,2,y\n,,\npear,3,w\nfig\npear,20,\nfig,1,a,b,c\n",
    "columns.txt": b"one  2 c\none 10 b\n two 1\na\tb c\n\n   \none  2 C\nz 2.50 d\nz 2.5 e\n",
    "unfinished.txt": b"z\ny\nx",
    "bytes.bin": b"a\0b\na\0a\n\xff\n\x80\xfe\na\n\0\n\r\n\x7f\n",
    "sorted.txt": b"a\nb\nc\n",
    "twice.txt": b"a\nb\nb\nc\n",
    "empty.txt": b"",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    path = tmp_path_factory.mktemp("sort")
    for name, content in FILES.items():
        (path / name).write_bytes(content)
    (path / "directory").mkdir()
    return path


@pytest.fixture(params=["host directory", "memory tree"])
def dirs(request, files):
    source = str(files) if request.param == "host directory" else wasi_host.MemoryFS(files)
    return {".": source}


def assert_same(result, expected):
    assert (result.stdout, result.returncode) == (expected.stdout, expected.returncode)
    # Each system spells the program's path its own way; the lines it quotes may be any bytes.
    said = [answer.stderr.split(b"sort: ", 1)[-1].splitlines()[:1] for answer in (result, expected)]
    assert said[0] == said[1]


CASES = {
    "plain": ["letters.txt"],
    "reversed": ["-r", "letters.txt"],
    "folded": ["-f", "letters.txt"],
    "folded, stable": ["-fs", "letters.txt"],
    "folded, reversed": ["-fr", "letters.txt"],
    "unique": ["-u", "letters.txt"],
    "unique, folded": ["-fu", "letters.txt"],
    "unique, folded, reversed": ["-fur", "letters.txt"],
    "without leading blanks": ["-b", "letters.txt"],
    "numbers": ["-n", "numbers.txt"],
    "numbers, reversed": ["-nr", "numbers.txt"],
    "numbers, reversed, stable": ["-nrs", "numbers.txt"],
    "unique numbers": ["-nu", "numbers.txt"],
    "numbers as text": ["numbers.txt"],
    "a field": ["-t", ",", "-k2", "table.csv"],
    "one field only": ["-t,", "-k2,2", "table.csv"],
    "one field as a number": ["-t,", "-k", "2,2n", "table.csv"],
    "two keys": ["-t,", "-k1,1", "-k2,2n", "table.csv"],
    "two keys, one reversed": ["-t,", "-k1,1f", "-k2,2nr", "table.csv"],
    "a key, stable": ["-t,", "-k1,1", "-s", "table.csv"],
    "a key, unique": ["-t,", "-k1,1", "-u", "table.csv"],
    "all keys reversed but one": ["-r", "-t,", "-k1,1", "-k2,2n", "table.csv"],
    "a character of a field": ["-t,", "-k1.2,1.3", "table.csv"],
    "a field that is not there": ["-t,", "-k9", "table.csv"],
    "an end before the start": ["-t,", "-k2,1", "table.csv"],
    "blank-separated": ["-k2", "columns.txt"],
    "blank-separated, blanks passed over": ["-k2b,2", "columns.txt"],
    "blanks passed over before an end": ["-k1,2.1b", "columns.txt"],
    "blank-separated numbers": ["-k2n", "columns.txt"],
    "global options beside a key's own": ["-n", "-k3f", "columns.txt"],
    "no newline at the end": ["unfinished.txt"],
    "a last line without newline beside another file": ["unfinished.txt", "letters.txt"],
    "any bytes": ["bytes.bin"],
    "any bytes, folded": ["-f", "bytes.bin"],
    "separated by NUL": ["-t", r"\0", "-k2", "bytes.bin"],
    "several files": ["letters.txt", "numbers.txt", "empty.txt"],
    "options after the operands": ["letters.txt", "-r"],
    "an empty file": ["empty.txt"],
    "checked, in order": ["-c", "sorted.txt"],
    "checked, out of order": ["-c", "letters.txt"],
    "checked, quietly": ["-C", "letters.txt"],
    "checked, reversed": ["-cr", "sorted.txt"],
    "checked, equal lines": ["-c", "twice.txt"],
    "checked, equal lines not allowed": ["-cu", "twice.txt"],
    "checked by a key": ["-c", "-t,", "-k2,2n", "table.csv"],
    "a missing file": ["missing.txt"],
    "a directory": ["directory"],
    "two files to check": ["-c", "letters.txt", "numbers.txt"],
    "field zero": ["-k0", "letters.txt"],
    "character zero": ["-k1.0", "letters.txt"],
    "a key that is no number": ["-kx", "letters.txt"],
    "a key with something behind": ["-k1,2x", "letters.txt"],
    "a separator of two characters": ["-t", "ab", "letters.txt"],
    "an empty separator": ["-t", "", "letters.txt"],
    "two separators": ["-t", "a", "-t", "b", "letters.txt"],
    "two outputs": ["-o", "a", "-o", "b", "letters.txt"],
}


@pytest.mark.parametrize("args", CASES.values(), ids=CASES)
def test_sort_prints_what_gnu_sort_prints(args, dirs, files):
    assert_same(guest("sort", args, dirs=dirs), reference("sort", args, cwd=files))


INPUTS = {
    "plain": ([], b"b\na"),
    "named with a dash": (["-"], b"b\na\n"),
    "between files": (["letters.txt", "-", "unfinished.txt"], b"m\nc"),
    "nothing": ([], b""),
    "only newlines": (["-u"], b"\n\n\n"),
    "checked": (["-c"], b"b\na\n"),
}


@pytest.mark.parametrize(("args", "data"), INPUTS.values(), ids=INPUTS)
def test_sort_reads_standard_input_as_gnu_sort_does(args, data, dirs, files):
    expected = reference("sort", args, cwd=files, data=data)
    assert_same(guest("sort", args, dirs=dirs, data=data), expected)


def random_key(rng):
    def position(characters):
        text = str(rng.choice([1, 1, 2, 2, 3, 9]))
        if rng.random() < 0.4:
            text += f".{rng.choice(characters)}"
        return text + "".join(rng.choices("bfnr", k=rng.choice([0, 0, 0, 1, 2])))

    end = "," + position([0, 1, 2, 5]) if rng.random() < 0.6 else ""
    return "-k" + position([1, 2, 5]) + end


ALPHABETS = [
    b"ab \n",
    b"aAbB,: \t\n",
    b"0123456789.- \n",
    b"00.-1,a\n",
    bytes(range(256)),
    b"\0a,\n",
]


@pytest.mark.parametrize("seed", range(40))
def test_sort_agrees_with_gnu_sort_on_random_lines_and_options(seed, tmp_path):
    rng = random.Random(seed)
    args = [f"-{letter}" for letter in "rnufsbc" if rng.random() < 0.2]
    if rng.random() < 0.4:
        args += ["-t", rng.choice([",", ":", " ", "a", "0"])]
    args += [random_key(rng) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
    data = bytes(rng.choices(rng.choice(ALPHABETS), k=rng.choice([40, 400, 4000])))
    expected = reference("sort", args, cwd=tmp_path, data=data)
    assert_same(guest("sort", args, dirs={}, data=data), expected)


def test_sort_holds_many_lines(tmp_path):
    rng = random.Random(11)
    data = b"".join(b"%d %s\n" % (rng.randrange(10**9), b"x" * (k % 40)) for k in range(200_000))
    args = ["-k1,1n", "-s"]
    expected = reference("sort", args, cwd=tmp_path, data=data)
    assert_same(guest("sort", args, dirs={}, data=data), expected)


def test_sort_holds_lines_far_longer_than_its_buffer(tmp_path):
    data = b"b" * 300_000 + b"\n" + b"a" * 500_000 + b"\n" + b"b" * 299_999
    expected = reference("sort", [], cwd=tmp_path, data=data)
    assert_same(guest("sort", [], dirs={}, data=data), expected)


def test_sort_writes_into_a_file_that_it_has_read():
    memory = wasi_host.MemoryFS({"a.txt": b"z\ny\n", "b.txt": b"x"})
    result = guest("sort", ["-o", "a.txt", "a.txt", "b.txt"], dirs={".": memory})
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert memory.tree() == {"a.txt": b"x\ny\nz\n", "b.txt": b"x"}


def test_sort_leaves_the_output_alone_if_an_input_is_missing():
    memory = wasi_host.MemoryFS({"a.txt": b"z\ny\n"})
    result = guest("sort", ["-o", "a.txt", "a.txt", "missing"], dirs={".": memory})
    assert result.returncode == 2
    assert memory.read_bytes("a.txt") == b"z\ny\n"


def test_sort_sorts_the_sample_data_in_place_on_the_host(tmp_path):
    target = tmp_path / "greetings.csv"
    target.write_bytes((DATA / "lists/greetings.csv").read_bytes())
    args = ["-t,", "-k2", "greetings.csv"]
    expected = reference("sort", args, cwd=tmp_path)
    result = guest("sort", ["-o", "greetings.csv", *args], dirs={".": str(tmp_path)})
    assert (result.returncode, result.stdout) == (0, b"")
    assert target.read_bytes() == expected.stdout


def test_sort_cannot_write_where_nothing_is_given():
    result = guest("sort", ["-o", "nowhere/a.txt"], dirs={".": {}}, data=b"a\n")
    assert result.returncode == 2
    assert b"open failed: nowhere/a.txt" in result.stderr


def test_the_program_is_committed_stripped_and_small():
    program = (EXAMPLES / "sort.wasm").read_bytes()
    assert len(program) < 60_000
    assert not [n for n in custom_sections(program) if n == b"name" or n.startswith(b".debug")]
