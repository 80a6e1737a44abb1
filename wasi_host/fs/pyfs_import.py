"""Imports pyfilesystem2 where it cannot import itself.

The package ``fs`` asks for ``pkg_resources``, which setuptools no longer has from version 82 on,
and fresh environments have no setuptools at all. It wants two functions of it: one that declares
a namespace package, one that finds its openers among the installed distributions. Where, and only
where, ``pkg_resources`` is missing, a module with these two stands in ``sys.modules`` while ``fs``
loads; then it goes, so that nobody else takes it for the real one. ``fs.opener`` keeps its own
reference. After that any ``import fs.something``, also the user's own, works.
"""

import pkgutil
import sys
import threading
import warnings
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["import_fs"]

_LOCK = threading.Lock()
_MISSING = "pkg_resources"


def import_fs() -> ModuleType:
    """Import ``fs`` with the modules of it that we use, and return it.

    Raises:
        ModuleNotFoundError: neither pyfilesystem2 nor a fork of it is installed.
    """
    with _LOCK, warnings.catch_warnings():
        # What an old setuptools says about pkg_resources is not for our users.
        warnings.simplefilter("ignore")
        try:
            _load()
        except ModuleNotFoundError as error:
            if error.name != _MISSING:
                raise
            stand_in = _stand_in()
            sys.modules[_MISSING] = stand_in
            try:
                _load()
            finally:
                if sys.modules.get(_MISSING) is stand_in:
                    del sys.modules[_MISSING]
    return sys.modules["fs"]


def _load() -> None:
    # All that the adapters use as attributes of the package.
    import fs.base
    import fs.error_tools
    import fs.errors
    import fs.info
    import fs.mode
    import fs.opener.errors
    import fs.opener.registry  # noqa: F401


def _stand_in() -> ModuleType:
    module: Any = ModuleType(_MISSING)
    module.declare_namespace = _declare_namespace
    module.iter_entry_points = _iter_entry_points
    return module  # type: ignore[no-any-return]


def _declare_namespace(name: str) -> None:
    package = sys.modules[name]
    package.__path__ = pkgutil.extend_path(package.__path__, name)


def _iter_entry_points(group: str, name: str | None = None) -> Iterator[Any]:
    # Loaded by name and late: it costs more than all the rest here.
    entry_points = import_module("importlib.metadata").entry_points(group=group)
    return iter(entry_points if name is None else entry_points.select(name=name))
