"""The command ``wasi-host`` with all its commands."""

import click

from wasi_host.cli.run import run


class LazyGroup(click.Group):
    """A group whose commands but ``run`` are imported when asked for: ``run`` starts faster."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted([*super().list_commands(ctx), "doctor", "inspect", "test"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command."""
        if cmd_name == "test":
            from wasi_host.cli.test import test

            return test
        if cmd_name == "inspect":
            from wasi_host.cli.inspect import inspect_command

            return inspect_command
        if cmd_name == "doctor":
            from wasi_host.cli.doctor import doctor

            return doctor
        return super().get_command(ctx, cmd_name)


def _version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    # It costs 36 ms, and every other command none.
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version("wasi-host")
    except PackageNotFoundError:
        number = "of a checkout that is not installed"
    click.echo(f"wasi-host, version {number}")
    ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Run WASI preview1 programs in a sandbox of virtual directories."""


cli.add_command(run)


def tell_misuse(message: str) -> int:
    """Say what was wrong about ``wasi-host run``, as the command does itself; return the status."""
    with (
        click.Context(cli, info_name="wasi-host") as parent,
        click.Context(run, info_name="run", parent=parent) as context,
    ):
        error = click.UsageError(message, context)
        error.show()
        return error.exit_code
