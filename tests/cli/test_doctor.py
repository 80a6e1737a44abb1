"""``wasi-host doctor``."""

from click.testing import CliRunner

from wasi_host import diagnosis
from wasi_host.cli import cli
from wasi_host.native import library
from wasi_host.runtimes import wasmtime_capi, wasmtime_choice


def said():
    done = CliRunner().invoke(cli, ["doctor"])
    assert done.exit_code == 0
    return {line[4:16].strip(): (line[:2], line[17:]) for line in done.output.splitlines()}


def test_each_part_has_a_line():
    assert list(said()) == [finding.part for finding in diagnosis.findings()]
    wanted = {"wasi-host", "python", "engine", "pywasm", "pywasm3", "cache", "native part"}
    assert wanted | {"openat2", "O_PATH", "eventfd"} <= said().keys()


def test_a_cache_that_is_switched_off_or_not_there_is_told(monkeypatch):
    monkeypatch.setenv("WASI_HOST_CACHE", "")
    assert said()["cache"][0] == "--"
    monkeypatch.setenv("WASI_HOST_CACHE", "/missing/cache")
    assert said()["cache"] == ("ok", "/missing/cache, not made yet")


def test_without_the_native_part_it_says_so_and_what_to_do(monkeypatch):
    monkeypatch.setattr(library, "why_not", lambda: f"not built: {library.ADVICE}")
    state, text = said()["native part"]
    assert state == "--"
    assert "served in Python" in text
    assert "C compiler" in text


def test_without_the_engine_it_says_what_to_install(monkeypatch):
    def missing():
        raise wasmtime_capi.EngineNotFound("install the package 'wasmtime'")

    monkeypatch.setattr(wasmtime_capi, "version", missing)
    assert said()["engine"] == ("--", "install the package 'wasmtime'")


def test_an_engine_of_an_unknown_version_is_told(monkeypatch):
    monkeypatch.setattr(wasmtime_choice, "way", lambda: "public")
    assert "slower public API" in said()["engine"][1]
