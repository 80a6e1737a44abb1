"""The command ``wasi-host``. Standard output is the guest's: our words go to standard error."""

import sys

import click

from wasi_host.cli.run import run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wasi-host", prog_name="wasi-host")
def cli() -> None:
    """Run WASI preview1 programs in a sandbox of virtual directories."""


cli.add_command(run)


def main() -> None:
    """Run the command line; the entry point of the console script."""
    sys.exit(cli.main(prog_name="wasi-host", standalone_mode=True))
