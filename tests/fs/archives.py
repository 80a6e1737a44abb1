"""Archives for tests, made of trees; and the ways in which they may be made."""

import contextlib
import io
import stat
import tarfile
import zipfile

from wasi_host.fs.archive import Archive
from wasi_host.fs.memory import Link

METHODS = {
    "stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2,
}  # fmt: skip


def members(tree, above=""):
    """The paths of a tree with what is there, directories first and with a slash."""
    for name, content in tree.items():
        path = above + name
        if isinstance(content, dict):
            yield path + "/", None
            yield from members(content, path + "/")
        else:
            yield path, content


def zip_link(path, target):
    info = zipfile.ZipInfo(path)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


def zip_of(tree, method="deflated"):
    """The bytes of a zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", METHODS[method]) as archive:
        for path, content in members(tree):
            if isinstance(content, Link):
                archive.writestr(*zip_link(path, content.target))
            else:
                archive.writestr(path, content or b"")
    return file.getvalue()


def tar_of(tree, compression="", **options):
    """The bytes of a tar archive."""
    return tar_with(
        [(path.rstrip("/"), content) for path, content in members(tree)], compression, **options
    )


def tar_with(entries, compression="", **options):
    """The bytes of a tar archive of paths with bytes, a `Link`, None (a directory), a `TarInfo`."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=f"w:{compression}", **options) as archive:
        for path, content in entries:
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(path)
            info.name = path
            data = None
            if content is None:
                info.type = tarfile.DIRTYPE
            elif isinstance(content, Link):
                info.type, info.linkname = tarfile.SYMTYPE, content.target
            elif isinstance(content, bytes):
                info.size, data = len(content), io.BytesIO(content)
            archive.addfile(info, data)
    return file.getvalue()


MAKERS = {
    "stored zip": lambda tree: zip_of(tree, "stored"),
    "deflated zip": zip_of,
    "bzip2 zip": lambda tree: zip_of(tree, "bzip2"),
    "pax tar": lambda tree: tar_of(tree, format=tarfile.PAX_FORMAT),
    "gnu tar": lambda tree: tar_of(tree, format=tarfile.GNU_FORMAT),
    "tar.gz": lambda tree: tar_of(tree, "gz"),
    "tar.bz2": lambda tree: tar_of(tree, "bz2"),
    "tar.xz": lambda tree: tar_of(tree, "xz"),
}


class Archived:
    """A factory of the contract."""

    def __init__(self, kind):
        self.make = MAKERS[kind]

    @contextlib.contextmanager
    def __call__(self, tmp_path, tree, readonly=True):
        (tmp_path / "archive").write_bytes(self.make(tree))
        yield Archive(tmp_path / "archive")
