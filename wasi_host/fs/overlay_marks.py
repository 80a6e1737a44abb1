"""What of an overlay is not in its upper tree, as a text, so that the overlay can be opened again.

The text is JSON: a list of records, those of a directory before those of what is in it.

* ``{"path", "kind", "lower", "seal", "meta", "copied", "same", "target"}``: a name that differs.
  ``lower`` is its path in the lower tree or null; ``meta`` number, number of names, and times;
  ``copied`` tells that its bytes are in the upper tree; names with one ``same`` are names of one
  file; ``target`` is the text of a link.
* ``{"hidden", "seal", "below"}``: a lower name that is not to be seen, or was replaced, and what
  was below it.
"""

import json
from collections.abc import Iterator
from typing import Any

from wasi_host.fs.memory_data import FileInode, Inode, LinkInode
from wasi_host.fs.overlay_data import Seal
from wasi_host.fs.overlay_index import (
    Entry,
    Hidden,
    LayeredDirectory,
    LayeredFile,
    LayeredLink,
    LayeredSpecial,
    is_touched,
    lower_of,
)
from wasi_host.fs.overlay_layers import Layers
from wasi_host.fs.walk import DIRECTORY, LINK

__all__ = ["dump", "load"]


def dump(layers: Layers) -> bytes:
    """Return the records of an index; the lock is held."""
    return json.dumps(list(_records(layers))).encode()


def _records(layers: Layers) -> Iterator[dict[str, Any]]:
    todo = [(layers.root, "")]
    while todo:
        place, above = todo.pop()
        for name, was in place.hidden.items():
            below = dict(_below(was)) if was.removed is not None else None
            yield {"hidden": f"{above}{name}", "seal": was.seal, "below": below}
        for name, inode in place.own.items():
            if inode is None:
                continue
            if isinstance(inode, LayeredDirectory):
                todo.append((inode, f"{above}{name}/"))
            if is_touched(inode):
                meta = inode.copy if isinstance(inode, LayeredFile) else inode
                assert meta is not None
                yield {
                    "path": f"{above}{name}",
                    "kind": inode.filetype,
                    "lower": lower_of(inode),
                    "seal": getattr(inode, "seal", None),
                    "meta": [meta.ino, meta.nlink, meta.atime, meta.mtime, meta.ctime],
                    "copied": isinstance(inode, LayeredFile) and inode.copied,
                    "same": id(inode),
                    "target": inode.target if isinstance(inode, LinkInode) else None,
                }


def _below(was: Hidden) -> Iterator[tuple[str, Seal]]:
    todo = [(was, "")]
    while todo:
        hidden, above = todo.pop()
        for name, one in ({} if hidden.removed is None else hidden.removed.hidden).items():
            yield f"{above}{name}", one.seal
            todo.append((one, f"{above}{name}/"))


def load(layers: Layers, text: bytes) -> dict[LayeredFile, list[Any]]:
    """Make the index again that was told; return the names of files.

    Raises:
        ValueError: it is no such text.
    """
    try:
        return _load(layers, json.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the marks of the overlay cannot be read: {error!r}") from None


def _load(layers: Layers, records: list[dict[str, Any]]) -> dict[LayeredFile, list[Any]]:
    same: dict[int, Entry] = {}
    places: dict[LayeredFile, list[Any]] = {}
    for record in records:
        hidden = "hidden" in record
        path = record["hidden" if hidden else "path"]
        place, name = _place(layers, path)
        if hidden:
            place.hidden[name] = _hidden(record)
            place.own.setdefault(name, None)
            continue
        inode = same.get(record["same"])
        if inode is None:
            inode = same[record["same"]] = _entry(layers, record, place, name)
        place.own[name] = inode
        if isinstance(inode, LayeredFile):
            places.setdefault(inode, []).append((place, name))
    return places


def _place(layers: Layers, path: str) -> tuple[LayeredDirectory, str]:
    """Return the directory of a path, remembered if it is not yet, and the last name."""
    *above, name = path.split("/")
    place = layers.root
    for part in above:
        below = place.own.get(part)
        if not isinstance(below, LayeredDirectory):
            lower = None if place.lower is None else place.below(part)
            below = LayeredDirectory(place, lower, part)
            place.own[part] = below
        place = below
    return place, name


def _hidden(record: dict[str, Any]) -> Hidden:
    if record["below"] is None:
        return Hidden(Seal(*record["seal"]), None)
    top = LayeredDirectory(None, None, "")
    known = {"": top}
    for path, seal in record["below"].items():
        above, _, name = path.rpartition("/")
        inside = known[path] = LayeredDirectory(None, None, name)
        seal = Seal(*seal)
        known[above].hidden[name] = Hidden(seal, inside if seal.filetype == DIRECTORY else None)
    return Hidden(Seal(*record["seal"]), top)


def _entry(layers: Layers, record: dict[str, Any], place: LayeredDirectory, name: str) -> Entry:
    kind, lower = record["kind"], record["lower"]
    seal = None if record["seal"] is None else Seal(*record["seal"])
    made: Entry
    meta: Inode
    if kind == DIRECTORY:
        made = meta = LayeredDirectory(place, lower, name)
        made.touched = True
    elif kind == LayeredFile.filetype:
        made = LayeredFile(lower)
        layers.store.usage.inodes += 1
        made.copy = meta = FileInode(0, 0, layers.store.usage)
        made.copied, made.seal = record["copied"], seal
    elif kind == LINK and lower is None:
        made = meta = LinkInode(0, record["target"], 0)
    elif kind == LINK:
        made = meta = LayeredLink(lower, layers.lower.read_link(lower), layers.lower.stat(lower))
        made.touched, made.seal = True, seal or made.seal
    else:
        made = meta = LayeredSpecial(lower, layers.lower.stat(lower))
        made.touched, made.seal = True, seal or made.seal
    meta.ino, meta.nlink, meta.atime, meta.mtime, meta.ctime = record["meta"]
    layers.seen(meta.ino)
    return made
