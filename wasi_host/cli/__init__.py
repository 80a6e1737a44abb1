"""The command ``wasi-host``. Standard output is the guest's: our words go to standard error."""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from wasi_host.cli.group import cli

__all__ = ["cli"]


def __getattr__(name: str) -> object:
    """Import the command at its first use (PEP 562): what runs a program does without it."""
    if name != "cli":
        raise AttributeError(f"module 'wasi_host.cli' has no attribute {name!r}")
    from wasi_host.cli.group import cli

    return cli
