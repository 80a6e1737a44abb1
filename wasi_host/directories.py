"""What may be given as a directory besides a path, a dict and a tree: few runs need any of it."""

from wasi_host.fs.archive import Archive
from wasi_host.fs.devices import Devices
from wasi_host.fs.filter import Filter
from wasi_host.fs.overlay import Overlay
from wasi_host.fs.quota import Quota
from wasi_host.fs.readonly import ReadOnly

__all__ = ["Archive", "Devices", "Filter", "Overlay", "Quota", "ReadOnly"]
