"""``wasi-host inspect``: what a module imports, and whether we serve it; nothing is run.

Exit status: 0 it can be run, 1 it cannot, 2 usage, 126 not a core module, 127 not found.
"""

import sys

import click

from wasi_host.inspect import Inspection, inspect, shim_source
from wasi_host.modules import NotAWasiModule

CANNOT, NOT_A_MODULE, NOT_FOUND = 1, 126, 127


@click.command(name="inspect", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("module", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option(
    "--shim",
    metavar="FUNCTION",
    help="Show the Python function that serves a function of WASI, such as fd_read.",
)
@click.option("--unstable", is_flag=True, help="With --shim: of the predecessor, wasi_unstable.")
def inspect_command(module: str | None, as_json: bool, shim: str | None, unstable: bool) -> None:
    """Say what MODULE imports, whether it is served, and what MODULE is; nothing is run."""
    if (module is None) == (shim is None):
        raise click.UsageError("give a MODULE, or --shim FUNCTION")
    if shim is not None:
        name = "wasi_unstable" if unstable else "wasi_snapshot_preview1"
        try:
            click.echo(shim_source(shim, name), nl=False)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--shim") from None
        return
    assert module is not None
    try:
        found = inspect(module)
    except NotAWasiModule as error:
        _fail(str(error), NOT_A_MODULE)
    except (FileNotFoundError, NotADirectoryError) as error:
        _fail(f"{module}: {error.strerror}", NOT_FOUND)
    except (OSError, ValueError) as error:
        _fail(f"{module}: {getattr(error, 'strerror', None) or error}", NOT_A_MODULE)
    click.echo(_json(found) if as_json else _text(found))
    sys.exit(CANNOT if found.unserved or found.kind.startswith("neither") else 0)


def _fail(message: str, status: int) -> None:
    click.echo(f"wasi-host: {message}", err=True)
    sys.exit(status)


def _json(found: Inspection) -> str:
    from json import dumps

    reasons = dict(found.unserved)
    told = {
        "name": found.name,
        "size": found.size,
        "kind": found.kind,
        "imports": [
            {
                "module": item.module,
                "name": item.name,
                "type": None if item.type is None else str(item.type),
                "served": item not in reasons,
            }
            for item in found.imports
        ],
        "exports": {
            name: export.kind if export.type is None else str(export.type)
            for name, export in found.exports.items()
        },
        "memory": found.memory,
        "tables": found.tables,
        "producers": found.producers,
    }
    return dumps(told, indent=2)


def _text(found: Inspection) -> str:
    lines = [f"{found.name}: {found.kind}, {found.size:,} bytes"]
    lines += [f"made by: {name} {version}".rstrip() for _, name, version in found.producers]
    if found.memory is not None:
        least, most = found.memory
        end = "no maximum of its own" if most is None else f"{_size(most)} at most"
        lines.append(f"memory: {_size(least)} at the start, {end}")
    if found.tables:
        lines.append(f"tables: {', '.join(f'{count:,}' for count in found.tables)} entries")
    reasons = dict(found.unserved)
    for module in dict.fromkeys(item.module for item in found.imports):
        lines.append(f"imports from {module}:")
        for item in found.imports:
            if item.module == module:
                mark = "not served: " + reasons[item] if item in reasons else "served"
                lines.append(f"  {item.name:24} {mark}")
    if not found.imports:
        lines.append("imports nothing")
    functions = [name for name, export in found.exports.items() if export.type is not None]
    lines.append(f"exports: {', '.join(functions) or 'no functions'}")
    return "\n".join(lines)


def _size(count: int) -> str:
    for unit, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= scale:
            return f"{count / scale:.4g} {unit}"
    return f"{count} bytes"
