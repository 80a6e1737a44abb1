"""A pytest plug-in: ``pytest --wasi-suite DIR`` collects a suite's programs as tests.

Each program is a file with one test per host, ``path_link.wasm::wasmtime/memory``. The fixture
``wasi_host_run`` is ``wasi_host.run`` for tests of one's own. Nothing of ours is imported before
one of the two is asked for.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.hosts import Host
    from conformance.suite import Case

_PLAN = pytest.StashKey["_Plan"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("wasi", "WASI conformance")
    for option, text in {
        "--wasi-suite": "Collect the WASI programs of a suite in the official layout.",
        "--wasi-runtime": "Run them on this engine; wasmtime by default. May be repeated.",
        "--wasi-fs": "Run them on this filesystem; all by default. May be repeated.",
        "--wasi-adapter": "Run them on the host of this adapter module.",
        "--wasi-expectations": "Tests to skip or expected to fail, in the official TOML form.",
    }.items():
        group.addoption(option, action="append", default=[], metavar="NAME", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Read the suites, and have their programs collected like files given as arguments."""
    suites = config.getoption("--wasi-suite")
    if not suites:
        return
    plan = config.stash[_PLAN] = _Plan(config, [Path(suite) for suite in suites])
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args.clear()  # without paths of his own a user wants the suite alone
    config.args.extend(str(wasm) for wasm in plan.cases)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a program of a suite."""
    plan = parent.config.stash.get(_PLAN, None)
    if plan is None or file_path not in plan.cases:
        return None
    return _Program.from_parent(parent, path=file_path)


@pytest.fixture
def wasi_host_run() -> Callable[..., Any]:
    """``wasi_host.run``, with captured text and a timeout of a minute unless told otherwise."""
    from wasi_host.sandbox import run

    def run_in_a_test(args: Iterable[Any], **keywords: Any) -> Any:  # noqa: ANN401  as run
        streams = keywords.keys() & {"stdout", "stderr", "capture_output"}
        defaults: dict[str, Any] = {"text": True, "timeout": 60}
        if not streams:
            defaults["capture_output"] = True
        if "input" not in keywords:
            defaults["stdin"] = b""
        return run(args, **{**defaults, **keywords})

    return run_in_a_test


class _Plan:
    """What ``--wasi-suite`` and the other options ask for."""

    def __init__(self, config: pytest.Config, suites: list[Path]) -> None:
        from conformance.engines import DEFAULT
        from conformance.expectations import ExpectationError, Expectations
        from conformance.filesystems import FILESYSTEMS
        from conformance.hosts import AdapterError, InProcess, Outside, load_adapter
        from conformance.suite import SuiteError, load

        engines, trees = config.getoption("--wasi-runtime"), config.getoption("--wasi-fs")
        adapters = config.getoption("--wasi-adapter")
        files = [Path(name) for name in config.getoption("--wasi-expectations")]
        try:
            self.cases: dict[Path, Case] = {
                case.wasm.resolve(): case for suite in suites for case in load(suite)
            }
            self.hosts: list[Host] = [Outside(load_adapter(Path(name))) for name in adapters]
            if engines or trees or not adapters:
                self.hosts += [
                    InProcess(engine, tree)
                    for engine in engines or (DEFAULT,)
                    for tree in trees or FILESYSTEMS
                ]
            self.expectations: dict[str, Expectations] = {
                host.name: Expectations([*host.expectations, *files]) for host in self.hosts
            }
        except (SuiteError, ExpectationError, AdapterError, ValueError, OSError) as error:
            raise pytest.UsageError(str(error)) from None


class _Program(pytest.File):
    """A program of a suite."""

    def collect(self) -> Iterable[pytest.Item]:
        """Yield a test for each host."""
        plan = self.config.stash[_PLAN]
        for host in plan.hosts:
            yield _OnHost.from_parent(self, name=host.name, host=host, case=plan.cases[self.path])


class _Red(Exception):
    """A program failed, or passed though a failure was expected; the message says all."""


class _OnHost(pytest.Item):
    """A program on one host."""

    def __init__(self, *, host: "Host", case: "Case", **keywords: Any) -> None:  # noqa: ANN401
        super().__init__(**keywords)
        self._host, self._case = host, case

    def runtest(self) -> None:
        """Run it."""
        from conformance.report import details, headline
        from conformance.runner import Outcome, expected, run_case

        known = self.config.stash[_PLAN].expectations[self._host.name]
        expectation = expected(self._case, self._host, known)
        result = run_case(self._case, self._host, expectation=expectation)
        if result.outcome is Outcome.SKIP:
            pytest.skip(result.reason)
        if result.outcome is Outcome.XFAIL:
            pytest.xfail(result.reason)
        if result.outcome.is_red:
            raise _Red(f"{headline(result)}\n{details(result)}")

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401  as pytest declares it
        """Return the words for a red one; a traceback of ours would say nothing."""
        if isinstance(excinfo.value, _Red):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return where it is."""
        return self.path, None, f"{self._case.label} on {self._host.name}"
