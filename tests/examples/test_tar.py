"""The example `tar` and GNU tar read each other's archives; trees, links and times are kept."""

import os
import subprocess

import pytest

import wasi_host
from tests.examples.test_examples import EXAMPLES, custom_sections, gnu, guest

LONG = "a rather long name of one file, longer than a header has room for, to be sure"
DEEP = "/".join(f"a directory with a long name {level}" for level in range(11))
FORMATS = ["ustar", "gnu", "pax"]


def gnu_tar(args, *, cwd, data=b"", check=True):
    env = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.environ["PATH"]}
    command = [gnu("tar"), *args]
    done = subprocess.run(command, cwd=cwd, input=data, capture_output=True, env=env, check=False)
    assert not (check and done.returncode), done.stderr
    return done


def tar(args, *, dirs, data=b"", check=True):
    done = guest("tar", args, dirs=dirs, data=data)
    assert not (check and (done.returncode or done.stderr)), done.stderr
    return done


def build_tree(path, *, long=True):
    """Every kind of thing an archive holds, each with a time of its own."""
    files = {
        "plain.txt": b"hello\n",
        "empty": b"",
        "block": b"x" * 512,
        "block and one": b"y" * 513,
        "big.bin": bytes(range(256)) * 1000,
        "a/b/c/deep.txt": b"deep",
        "a/b.txt": b"beside a directory",
        "grüße, 世界.txt": b"named in UTF-8",
        "odd \\ na\nme\t\x7f": b"escaped where it is listed",
        " leading blank": b"",
        "n" * 100: b"fills the field",
        f"{'p' * 90}/{'q' * 90}": b"needs the prefix",
    }
    links = {
        "link": "plain.txt",
        "dangling": "nowhere/at all",
        "to a directory": "a/b",
        "a/b/up": "../../plain.txt",
        "t" * 20: "u" * 100,
    }
    if long:
        files |= {"n" * 101: b"", LONG * 2: b"too long", f"{DEEP}/{LONG}": b"far down"}
        links |= {"long": "v" * 101, "m" * 150: "w/" * 300}
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    (path / "empty directory/inside").mkdir(parents=True)
    for name, target in links.items():
        (path / name).symlink_to(target)
    for name in ["a/hard 1", "hard 2", "empty directory/hard 3"]:
        os.link(path / "plain.txt", path / name)
    everything = sorted(path.rglob("*"), reverse=True)
    for number, entry in enumerate([*everything, path]):
        when = 1_000_000_000 + 86_399 * number
        os.utime(entry, (when, when), follow_symlinks=False)
    return path


def snapshot(path):
    """Of every name: what it is, its content, its time, and its other names."""
    found, names = {}, {}
    for entry in [path, *path.rglob("*")]:
        name = str(entry.relative_to(path))
        st = entry.lstat()
        if entry.is_symlink():
            what = ("link", os.readlink(entry))
        elif entry.is_dir():
            what = ("directory", None)
        else:
            what = ("file", entry.read_bytes())
            names.setdefault(st.st_ino, []).append(name)
        found[name] = (*what, st.st_mtime_ns // 10**9)
    return found, sorted(sorted(same) for same in names.values() if len(same) > 1)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return build_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def short_tree(tmp_path_factory):
    """What the plain ustar format has room for."""
    return build_tree(tmp_path_factory.mktemp("short"), long=False)


@pytest.fixture(scope="module")
def archive(tree):
    """Ours, through standard output."""
    return tar(["-cf", "-", "."], dirs={".": str(tree)}).stdout


def gnu_archive(kind, tree, *options):
    return gnu_tar(["-cf", "-", f"--format={kind}", *options, "."], cwd=tree).stdout


def test_gnu_tar_extracts_the_same_tree(archive, tree, tmp_path):
    gnu_tar(["-xf", "-"], cwd=tmp_path, data=archive)
    assert snapshot(tmp_path) == snapshot(tree)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_tree_of_gnu_tar_is_extracted_on_the_host(kind, tree, short_tree, tmp_path):
    source = short_tree if kind == "ustar" else tree
    data = gnu_archive(kind, source)
    tar(["-xf", "-"], dirs={".": str(tmp_path)}, data=data)
    assert snapshot(tmp_path) == snapshot(source)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_tree_of_gnu_tar_passes_through_memory(kind, tree, short_tree, tmp_path):
    source = short_tree if kind == "ustar" else tree
    memory = wasi_host.MemoryFS({})
    tar(["-xf", "-"], dirs={".": memory}, data=gnu_archive(kind, source))
    data = tar(["-cf", "-", "."], dirs={".": memory}).stdout
    gnu_tar(["-xf", "-"], cwd=tmp_path, data=data)
    assert snapshot(tmp_path) == snapshot(source)


def test_an_archive_extracted_in_memory_and_created_again_is_the_same(archive):
    memory = wasi_host.MemoryFS({})
    tar(["-xf", "-"], dirs={".": memory}, data=archive)
    assert tar(["-cf", "-", "."], dirs={".": memory}).stdout == archive


def test_files_and_directories_named_by_options(archive, tree, tmp_path):
    memory = wasi_host.MemoryFS({"archives": {}, "out": {"below": {}}})
    dirs = {"/in": str(tree), "/memory": memory}
    tar(["-cf", "/memory/archives/a.tar", "-C", "/in", "."], dirs=dirs)
    assert memory.read_bytes("archives/a.tar") == archive
    tar(["-xpf", "/memory/archives/a.tar", "-C", "/memory/out", "-C", "below"], dirs=dirs)
    again = tar(["cfC", "-", "/memory/out/below", "."], dirs=dirs).stdout
    assert again == archive


def test_extracting_twice_gives_the_same_tree(archive, tree, tmp_path):
    for _ in range(2):
        tar(["-xf", "-"], dirs={".": str(tmp_path)}, data=archive)
    assert snapshot(tmp_path) == snapshot(tree)


def test_fractions_of_seconds_are_kept_where_the_archive_has_them(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in/a").write_bytes(b"")
    os.utime(tmp_path / "in/a", ns=(0, 1_234_567_890_123_456_789))
    data = gnu_archive("pax", tmp_path / "in")
    tar(["-xf", "-"], dirs={".": str(tmp_path / "out")}, data=data)
    assert (tmp_path / "out/a").stat().st_mtime_ns == 1_234_567_890_123_456_789


@pytest.mark.parametrize("option", ["-tf", "-tvf"])
@pytest.mark.parametrize("kind", [*FORMATS, "ours"])
def test_lists_what_gnu_tar_lists(kind, option, archive, tree, short_tree, tmp_path):
    source = short_tree if kind == "ustar" else tree
    data = archive if kind == "ours" else gnu_archive(kind, source)
    expected = gnu_tar([option, "-"], cwd=tmp_path, data=data)
    assert tar([option, "-"], dirs={}, data=data).stdout == expected.stdout
    memory = wasi_host.MemoryFS({"a.tar": data})
    assert tar([option, "a.tar"], dirs={".": memory}).stdout == expected.stdout


def test_lists_owners_sizes_and_modes_in_columns_as_gnu_tar_does(short_tree, tmp_path):
    owner = ["--owner=somebody-with-a-name:1234", "--group=everybody:77", "--mode=u+s,g+s,o+t"]
    data = gnu_archive("gnu", short_tree, *owner)
    expected = gnu_tar(["-tvf", "-"], cwd=tmp_path, data=data)
    assert tar(["-tvf", "-"], dirs={}, data=data).stdout == expected.stdout


@pytest.mark.parametrize(
    "names", [["./a"], ["./a/", "./link"], ["./a/b.txt"], ["./nowhere", "./link"], ["."]]
)
def test_lists_and_extracts_only_what_is_named(names, archive, tmp_path):
    expected = gnu_tar(["-tf", "-", *names], cwd=tmp_path, data=archive, check=False)
    result = tar(["-tf", "-", *names], dirs={}, data=archive, check=False)
    assert (result.stdout, result.returncode) == (expected.stdout, expected.returncode)
    memory = wasi_host.MemoryFS({})
    extracted = tar(["-xvf", "-", *names], dirs={".": memory}, data=archive, check=False)
    assert (extracted.stdout, extracted.returncode) == (expected.stdout, expected.returncode)


OPERANDS = {
    "two files": ["plain.txt", "empty"],
    "a directory with a slash": ["a/"],
    "a directory with a dot": ["./a/b"],
    "a file twice": ["plain.txt", "plain.txt"],
    "behind a directory": ["-C", "a", "b", "hard 1"],
    "behind two directories": ["link", "-C", "a", "b.txt", "-C", "b", "c"],
    "a missing file": ["plain.txt", "missing", "empty"],
    "after a double dash": ["--", "plain.txt"],
}


@pytest.mark.parametrize("operands", OPERANDS.values(), ids=OPERANDS)
def test_stores_the_names_that_gnu_tar_stores(operands, short_tree, tmp_path):
    args = ["-cvf", "-", *operands]
    expected = gnu_tar(["--sort=name", "--format=ustar", *args], cwd=short_tree, check=False)
    result = tar(args, dirs={".": str(short_tree)}, check=False)
    assert result.returncode == expected.returncode
    said = [answer.stderr.replace(b"/usr/bin/", b"") for answer in (result, expected)]
    assert said[0] == said[1]
    listed = [
        gnu_tar(["-tf", "-"], cwd=tmp_path, data=answer.stdout).stdout
        for answer in (result, expected)
    ]
    assert listed[0] == listed[1]


def test_absolute_operands_are_stored_without_their_slash(archive, short_tree):
    result = tar(["-cf", "-", "/in/a/b", "/in/link"], dirs={"/in": str(short_tree)}, check=False)
    assert (result.returncode, result.stderr) == (
        0,
        b"tar: Removing leading `/' from member names\n",
    )
    listed = tar(["-tf", "-"], dirs={}, data=result.stdout).stdout.splitlines()
    assert listed == [b"in/a/b/", b"in/a/b/c/", b"in/a/b/c/deep.txt", b"in/a/b/up", b"in/link"]


def test_operands_with_dots_are_stored_behind_them(short_tree):
    result = tar(["-cf", "-", "a/../link"], dirs={".": str(short_tree)}, check=False)
    assert result.stderr == b"tar: Removing leading `a/../' from member names\n"
    assert tar(["-tf", "-"], dirs={}, data=result.stdout).stdout == b"link\n"


def test_the_archive_does_not_contain_itself():
    memory = wasi_host.MemoryFS({"a.txt": b"a"})
    result = tar(["-cf", "x.tar", "."], dirs={".": memory}, check=False)
    assert result.returncode == 0
    assert result.stderr == b"tar: ./x.tar: file is the archive; not dumped\n"
    assert tar(["-tf", "x.tar"], dirs={".": memory}).stdout == b"./\n./a.txt\n"


def test_an_extracted_file_replaces_links_instead_of_being_written_through_them(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "kept").write_bytes(b"kept")
    (tmp_path / "out/symbolic").symlink_to("../kept")
    os.link(tmp_path / "kept", tmp_path / "out/hard")
    (tmp_path / "in").mkdir()
    for name in ["symbolic", "hard"]:
        (tmp_path / "in" / name).write_bytes(b"new")
    tar(["-cf", "a.tar", "-C", "in", "."], dirs={".": str(tmp_path)})
    tar(["-xf", "a.tar", "-C", "out"], dirs={".": str(tmp_path)})
    assert (tmp_path / "kept").read_bytes() == b"kept"
    assert snapshot(tmp_path / "out")[0].keys() == {".", "symbolic", "hard"}
    assert (
        (tmp_path / "out/symbolic").read_bytes() == (tmp_path / "out/hard").read_bytes() == b"new"
    )
    assert not (tmp_path / "out/symbolic").is_symlink()


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["-f", "a"],
        ["-ct"],
        ["-q"],
        ["-cf"],
        ["-c"],
        ["-tf", "missing"],
        ["-xf", "-", "-C", "x"],
    ],
)
def test_refuses_bad_usage_with_status_2(args):
    result = tar(args, dirs={".": {}}, check=False)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr


def test_the_program_is_committed_stripped_and_small():
    program = (EXAMPLES / "tar.wasm").read_bytes()
    assert len(program) < 60_000
    assert not [n for n in custom_sections(program) if n == b"name" or n.startswith(b".debug")]
