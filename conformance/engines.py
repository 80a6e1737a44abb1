"""The engines that programs are tried on, by the names that ``runtime=`` takes.

One that cannot load some programs has a file of expectations with the reasons, in
``expectations/``.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

_EXPECTATIONS: Final = Path(__file__).parent / "expectations"


class Engine(NamedTuple):
    """What a test must know of an engine.

    Attributes:
        module: by which its package is found.
        stoppable: whether a timeout ends a guest that computes.
        expectations: the file that says which tests it cannot pass; None: it passes all.
    """

    module: str
    stoppable: bool = True
    expectations: Path | None = None

    @property
    def installed(self) -> bool:
        """Whether it is here."""
        return find_spec(self.module) is not None


ENGINES: Final[dict[str, Engine]] = {
    "wasmtime": Engine("wasmtime"),
    "pywasm": Engine("pywasm"),
    "pywasm3": Engine("wasm3", stoppable=False, expectations=_EXPECTATIONS / "pywasm3.toml"),
}
#: The engine where none is asked for; the others are slower by far.
DEFAULT: Final = "wasmtime"
