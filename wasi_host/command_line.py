"""What names a module and its arguments, and what of ``subprocess.run`` cannot be meant here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from wasi_host.modules import Module

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

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
#: The keywords of ``run`` that are ``Sandbox``'s, and all of them.
_OF_SANDBOX = ("dirs", "env", "limits", "rights", "sockets", "clock", "seed", "runtime")
KEYWORDS = (
    *_OF_SANDBOX, "input", "stdin", "stdout", "stderr", "capture_output", "text", "encoding",
    "errors", "timeout", "check", "argv0", "invoke", "tty", "trace", "layers",
)  # fmt: skip


def word_list(words: Iterable[Any]) -> list[Any]:
    """Return the words of a command line. TypeError: it is one text, or no list."""
    if isinstance(words, str | bytes | os.PathLike):
        raise TypeError(f"arguments are a list, not {words!r}; there is no shell to split a text")
    if not isinstance(words, Iterable):
        raise TypeError(f"arguments are a list, not {words!r}")
    return list(words)


def refuse_keywords(caller: str, names: Iterable[str]) -> None:
    """Raise TypeError, with a word, for keywords that ``run`` and its like do not have."""
    for name in names:
        word = NOT_HERE.get(name)
        if word is None:
            from difflib import get_close_matches

            likely = get_close_matches(name, KEYWORDS, 1)
            word = f"did you mean {likely[0]}=?" if likely else "see its documentation"
        raise TypeError(f"{caller}() has no {name}=: {word}")


def split_args(
    args: Iterable[Any], keywords: dict[str, Any], caller: str, without: Mapping[str, str]
) -> tuple[ModuleSource, list[Word], dict[str, Any]]:
    """Return module, arguments and ``Sandbox``'s keywords of a call like ``run``'s.

    Args:
        args: ``[module, *arguments]``.
        keywords: those of ``run``; ``Sandbox``'s are taken out.
        caller: what messages call it.
        without: keywords of ``run`` that it does not have, and what to do instead.

    Raises:
        TypeError: ``args`` is no list, or a keyword cannot be meant here.
        ValueError: ``args`` is empty.
    """
    for name in keywords.keys() & without.keys():
        raise TypeError(f"{caller}() has no {name}=: {without[name]}")
    refuse_keywords(caller, [name for name in keywords if name not in KEYWORDS])
    words = word_list(args)
    if not words:
        raise ValueError("args is empty: it is [module, *arguments]")
    module, *argv = words
    own = {name: keywords.pop(name) for name in _OF_SANDBOX if name in keywords}
    return module, argv, own
