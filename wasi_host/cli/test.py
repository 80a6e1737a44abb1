"""``wasi-host test``: run conformance suites over engines, filesystems and other hosts.

Exit status: 0 all as expected, 1 a test failed or passed unexpectedly, 2 usage, 125 a report that
cannot be written, 130 Ctrl-C.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from textwrap import indent

import click

from conformance.engines import DEFAULT, ENGINES
from conformance.expectations import ExpectationError
from conformance.filesystems import FILESYSTEMS
from conformance.hosts import (
    ADAPTERS,
    PEERS,
    AdapterError,
    Host,
    InProcess,
    Outside,
    load_adapter,
)
from conformance.own import PROGRAMS
from conformance.report import details, headline, to_html, to_json, to_junit
from conformance.runner import TIMEOUT, Matrix, Outcome, Result, run_matrix
from conformance.suite import Case, SuiteError, load

HOST_ERROR, INTERRUPTED = 125, 130
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("suites", metavar="[SUITE_DIR]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--own", is_flag=True, help="Run our own programs, alone or besides SUITE_DIR.")
@click.option(
    "--runtime",
    "runtimes",
    multiple=True,
    type=click.Choice(list(ENGINES)),
    help="An engine, in this process; wasmtime by default. May be repeated, as --fs and --adapter.",
)
@click.option(
    "--fs",
    "filesystems",
    multiple=True,
    type=click.Choice(list(FILESYSTEMS)),
    help="A filesystem, in this process; all by default.",
)
@click.option("--strict-rights", is_flag=True, help="Also with rights as the letter has them.")
@click.option(
    "--adapter",
    "adapters",
    multiple=True,
    metavar="FILE",
    help="Another host, by an adapter module of the official runner, or by the name of one of "
    f"ours: {', '.join(PEERS)}. In-process hosts "
    "then run only where --runtime or --fs asks for them.",
)
@click.option(
    "--expectations",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Tests to skip or expected to fail, in the official TOML form.",
)
@click.option(
    "-k", "words", metavar="TEXT", multiple=True, help="Only tests with TEXT in the name."
)
@click.option("--timeout", default=TIMEOUT, show_default=True, help="Seconds for each test.")
@click.option("--jobs", type=click.IntRange(1), help="Tests at a time; default: processors.")
@click.option("--json", "json_file", type=_FILE, help="Write the official runner's report.")
@click.option("--junit", "junit_file", type=_FILE, help="Write JUnit's XML.")
@click.option(
    "--html", "html_file", type=_FILE, help="Write one page: tests x hosts, with outputs."
)
def test(
    suites: tuple[Path, ...],
    own: bool,
    runtimes: tuple[str, ...],
    filesystems: tuple[str, ...],
    strict_rights: bool,
    adapters: tuple[str, ...],
    expectations: tuple[Path, ...],
    words: tuple[str, ...],
    timeout: float,
    jobs: int | None,
    json_file: Path | None,
    junit_file: Path | None,
    html_file: Path | None,
) -> None:
    """Run the tests of SUITE_DIR on each host, and print a table.

    SUITE_DIR is a copy of WebAssembly/wasi-testsuite, or any directory of .wasm files with the
    official .json beside them.
    """
    reports = [
        (path, make)
        for path, make in ((json_file, to_json), (junit_file, to_junit), (html_file, to_html))
        if path is not None
    ]
    if html_file is not None and find_spec("jinja2") is None:
        raise click.UsageError("--html needs jinja2: pip install 'wasi-host[report]'")
    cases = _cases([*suites, PROGRAMS] if own else list(suites), words)
    hosts = [_outside(name) for name in adapters]
    if runtimes or filesystems or not adapters:
        hosts[:0] = [
            InProcess(runtime, filesystem, rights)
            for runtime in runtimes or (DEFAULT,)
            for filesystem in filesystems or FILESYSTEMS
            for rights in (("grant", "strict") if strict_rights else ("grant",))
        ]
    if len({host.name for host in hosts}) < len(hosts):
        raise click.UsageError("two hosts have one name: " + ", ".join(h.name for h in hosts))
    line = _Progress(len(cases) * len(hosts))
    try:
        matrix = run_matrix(
            cases, hosts, expectations=expectations, timeout=timeout, jobs=jobs, progress=line.show
        )
    except ExpectationError as error:
        raise click.UsageError(str(error)) from None
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    finally:
        line.clear()
    for path, make in reports:  # before the table: who reads that may go away
        try:
            path.write_text(make(matrix), encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            click.echo(f"wasi-host: {path}: {error.strerror}", err=True)
            sys.exit(HOST_ERROR)
    _print(matrix)
    sys.exit(bool(matrix.red))


def _cases(suites: list[Path], words: tuple[str, ...]) -> list[Case]:
    if not suites:
        raise click.UsageError("give a SUITE_DIR, or --own")
    try:
        cases = [case for suite in suites for case in load(suite)]
    except SuiteError as error:
        raise click.UsageError(str(error)) from None
    if words:
        cases = [case for case in cases if any(word in case.label for word in words)]
    if not cases:
        raise click.UsageError(f"no test has {' or '.join(words)} in its name")
    return cases


def _outside(name: str) -> Host:
    own = ADAPTERS / f"{name}.py"
    try:
        return Outside(load_adapter(own if own.is_file() else Path(name)))
    except (AdapterError, FileNotFoundError) as error:
        raise click.BadParameter(str(error), param_hint="--adapter") from None


class _Progress:
    """A line on standard error, on a terminal only and gone afterwards."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._red = total, 0, 0
        self._shown = sys.stderr.isatty()

    def show(self, result: Result) -> None:
        self._done += 1
        self._red += result.outcome.is_red
        if self._shown:
            text = f"{self._done}/{self._total}, {self._red} red: {result.host} {result.case.label}"
            click.echo(f"\r\x1b[K{text[:78]}", nl=False, err=True)

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)


def _print(matrix: Matrix) -> None:
    """Print a table with a line per host, and below it what is red."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE)
    table.add_column("host", no_wrap=True)
    for heading in ("passed", "failed", "known to fail", "skipped"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("version", no_wrap=True)
    for host in matrix.hosts:
        counts = [
            matrix.count(host, *outcomes)
            for outcomes in (
                (Outcome.PASS,),
                (Outcome.FAIL, Outcome.XPASS),
                (Outcome.XFAIL,),
                (Outcome.SKIP,),
            )
        ]
        version = "absent" if host.absent else escape(host.version)
        style = "red" if counts[1] else "dim" if host.absent else "green"
        table.add_row(escape(host.name), *map(str, counts), version, style=style)
    # A pipe has no width: what reads it wants whole lines.
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 160)
    console.print(table)
    for host in matrix.hosts:
        if host.absent:
            console.print(escape(host.absent))
    for result in matrix.red:
        console.print(f"[red]{escape(result.host)}  {escape(result.case.label)}[/red]")
        if result.outcome is Outcome.XPASS:
            console.print(f"    {escape(headline(result))}")
        console.print(escape(indent(details(result), "    ")))
    seconds = (matrix.finished - matrix.started).total_seconds()
    count = len(matrix.cases)
    console.print(f"{count} tests on {len(matrix.hosts)} hosts in {seconds:.1f} s")
