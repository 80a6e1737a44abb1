"""The page and the XML of a matrix with every outcome in it."""

from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from conformance.hosts import InProcess
from conformance.report import to_html, to_junit
from conformance.runner import run_matrix
from conformance.suite import load
from tests.conformance.places import place
from tests.sandbox.programs import exits, says

pytest.importorskip("jinja2", reason="the page is made with jinja2, which is not installed")


@pytest.fixture
def matrix(tmp_path):
    """Five programs with the five outcomes on two filesystems; output that must be escaped."""
    suite = tmp_path / "suite"
    place(suite, "fails", says("<script>&\x01"), {"exit_code": 3})
    for name, code in (("known", 1), ("mended", 0), ("skipped", 0), ("whole", 0)):
        place(suite, name, exits(code))
    toml = tmp_path / "expected.toml"
    toml.write_text(
        f'[[suite]]\nname = "{suite}"\n'
        '[[suite.test]]\nname = "known"\nexpected = "fail"\nreason = "has <no> links"\n'
        '[[suite.test]]\nname = "mended"\nexpected = "fail"\n'
        '[[suite.test]]\nname = "skipped"\naction = "skip"\nreason = "too slow"\n'
    )
    hosts = [InProcess("wasmtime", name) for name in ("host", "memory")]
    return run_matrix(load(suite), hosts, expectations=[toml])


class Page(HTMLParser):
    """Collects elements with their classes, and checks that they are closed in order."""

    EMPTY = ("meta", "input", "rect", "wbr")

    def __init__(self, text):
        super().__init__()
        self.open, self.classes, self.outside, self.text = [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.classes += [(tag, word) for word in (values.get("class") or "").split()]
        self.outside += [values[name] for name in ("src", "href") if name in values]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_has_a_cell_for_each_test_and_host(matrix):
    page = Page(to_html(matrix))
    for outcome in ("pass", "fail", "skip", "xfail", "xpass"):
        assert page.classes.count(("td", outcome)) == 2


def test_the_page_needs_nothing_from_outside_and_runs_nothing(matrix):
    page = Page(to_html(matrix))
    assert page.outside == []
    assert "<script" not in to_html(matrix)


def test_the_page_holds_the_output_of_failures_and_the_reasons(matrix):
    text = Page(to_html(matrix)).text
    assert text.count("exit code 0, expected 3") >= 2
    assert "<script>&" in text
    assert "has <no> links" in text
    assert "too slow" in text


def test_a_page_without_failures_says_so(matrix):
    clean = matrix._replace(results=tuple(r for r in matrix.results if not r.outcome.is_red))
    names = {result.case.name for result in clean.results}
    clean = clean._replace(cases=tuple(case for case in matrix.cases if case.name in names))
    assert "all as expected" in Page(to_html(clean)).text


def test_the_xml_has_a_suite_for_each_host_with_its_failures(matrix):
    root = ElementTree.fromstring(to_junit(matrix))
    suites = root.findall("testsuite")
    assert [(s.get("tests"), s.get("failures"), s.get("skipped")) for s in suites] == [
        ("5", "2", "1")
    ] * 2
    (failure, stale) = suites[0].findall("testcase/failure")
    assert failure.get("message") == "exit code 0, expected 3"
    assert "<script>&\N{REPLACEMENT CHARACTER}" in failure.text
    assert "a failure was expected" in stale.get("message")
