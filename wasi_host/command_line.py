"""What names a module and its arguments, and what of ``subprocess.run`` cannot be meant here."""

import os
from collections.abc import Iterable
from typing import Any

from wasi_host.modules import Module

#: One word of a command line.
Word = str | bytes | os.PathLike[str]
#: What names a module.
ModuleSource = str | bytes | os.PathLike[str] | Module

#: Keywords of ``subprocess.run`` that cannot be meant here, and what to do instead.
NOT_HERE = {
    "cwd": "a guest is in no directory of the host: give dirs={'.': path}",
    "shell": "there is no shell in a sandbox: give the module and its arguments",
    "executable": "the module is the first of args; argv0= names it to the guest",
    "preexec_fn": "nothing is forked",
    "universal_newlines": "give text=True",
}
#: The keywords of ``run`` that are ``Sandbox``'s.
_OF_SANDBOX = ("dirs", "env", "limits", "rights", "sockets", "clock", "seed", "runtime")


def word_list(words: Iterable[Any]) -> list[Any]:
    """Return the words of a command line. TypeError: it is one text, or no list."""
    if isinstance(words, str | bytes | os.PathLike):
        raise TypeError("args is a list, [module, *arguments]; there is no shell to split a text")
    return list(words)


def split_args(
    args: Iterable[Any], keywords: dict[str, Any]
) -> tuple[ModuleSource, list[Word], dict[str, Any]]:
    """Return module, arguments and ``Sandbox``'s keywords of a call like ``run``'s.

    Args:
        args: ``[module, *arguments]``.
        keywords: those of ``run``; ``Sandbox``'s are taken out.

    Raises:
        TypeError: ``args`` is no list, or a keyword cannot be meant here.
        ValueError: ``args`` is empty.
    """
    for name in keywords.keys() & NOT_HERE.keys():
        raise TypeError(f"there is no {name}= here: {NOT_HERE[name]}")
    words = word_list(args)
    if not words:
        raise ValueError("args is empty: it is [module, *arguments]")
    module, *argv = words
    own = {name: keywords.pop(name) for name in _OF_SANDBOX if name in keywords}
    return module, argv, own
