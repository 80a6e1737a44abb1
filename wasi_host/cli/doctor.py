"""``wasi-host doctor``: what of this installation works, and what to do about the rest."""

import click

from wasi_host.diagnosis import findings


@click.command()
def doctor() -> None:
    """Say what of this installation works, and what to do about what does not.

    The exit code is 0 even where something is slower than it could be: everything works without.
    """
    for part, good, text in findings():
        click.echo(f"{'ok' if good else '--':3} {part:12} {text}")
