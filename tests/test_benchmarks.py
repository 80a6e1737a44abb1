"""The benchmarks run, each part with as few samples as there can be; no time is looked at."""

import argparse
import html.parser
import json
import sys

import pytest

from benchmarks import everything, percall
from benchmarks.figures import Figure, Part, Table, Target, as_markdown, as_text
from benchmarks.machine import PYTHON, WASMTIME
from benchmarks.page import to_html
from benchmarks.turns import Child, Ended

SMALLEST = {
    "percall": ["--rounds=1", "--samples=1", "--call=fstat", "--call=open_close", "--host=ours",
                "--host=ours, memory", "--host=ours, overlay", f"--host={WASMTIME}",
                "--host=the kernel"],
    "churn": ["--samples=1", "--guest=hello"],
    "idle": ["--count=20"],
    "tools": ["--rounds=1", "--only=tar"],
    "startup": ["--rounds=1", "--functions=10"],
    "lucet": ["--samples=1", "--row=drop dense heap", "--row=run many args"],
}  # fmt: skip


@pytest.fixture
def quick_samples(monkeypatch):
    """Samples that are taken as soon as there is anything to take."""
    monkeypatch.setattr("benchmarks.turns.SHORTEST", True)


def measured(name):
    module = everything.PARTS[name]
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return module.measure(parser.parse_args(SMALLEST[name], argparse.Namespace(quick=True)))


@pytest.mark.usefixtures("quick_samples")
@pytest.mark.parametrize("name", SMALLEST)
def test_a_part_gives_figures_of_ours_for_each_row_and_can_be_shown(name):
    part = measured(name)
    assert part.name == name
    assert part.tables
    for table in part.tables:
        for row, figures in table.rows.items():
            assert any(column.startswith("ours") for column in figures), row
            assert all(f.median >= f.least for f in figures.values()), row
    assert part.title in as_text(part)
    assert as_markdown(part).startswith("## ")
    assert json.loads(json.dumps(part.to_json()))["name"] == name
    assert "</svg>" in to_html([part], {"interpreter": "a"})


def test_every_part_has_its_smallest_samples_here():
    assert list(SMALLEST) == list(everything.PARTS)


def some_part():
    rows = {
        "fstat <&>": {PYTHON: Figure(2, 3, 1.5), WASMTIME: Figure(8, 20)},
        "stat": {PYTHON: Figure(4, 4), WASMTIME: Figure(8, 8)},
    }
    table = Table("One & only", "ns", rows, {"w/o": (WASMTIME, PYTHON)})
    targets = [Target("fast", 3, True, 2.83), Target("small", 3, False, 2.83, " ns")]
    return Part("some", "Some part", [table], [*targets, Target("unknown", 1, True, None)], ["why"])


def test_ratios_are_of_least_times_and_their_mean_is_geometric():
    table = some_part().tables[0]
    assert table.ratio("fstat <&>", "w/o") == 4
    assert table.mean_ratio("w/o", ["fstat <&>", "stat"]) == pytest.approx(8**0.5)
    assert table.mean_ratio("w/o", ["fstat <&>", "open"]) is None


def test_a_target_is_met_missed_or_not_measured():
    assert [target.verdict for target in some_part().targets] == ["MISSED", "met", "not measured"]


def test_the_page_is_whole_and_refers_to_nothing_outside():
    page = to_html([some_part()], {"interpreter": "<x>"})
    open_tags = []

    class Checker(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert not {"src", "xlink:href"} & dict(attrs).keys()
            assert dict(attrs).get("href", "#").startswith("#")
            if tag not in ("meta", "rect", "path"):
                open_tags.append(tag)

        def handle_endtag(self, tag):
            if tag not in ("rect", "path"):
                assert open_tags.pop() == tag

    Checker().feed(page)
    assert not open_tags
    assert "One &amp; only" in page
    assert "<x>" not in page


def test_wasmtimes_file_calls_are_no_measure_where_its_fstat_is_slow_or_unsteady():
    assert percall.why_not_comparable({"fstat": Figure(10_000, 12_000)}) is None
    assert "more than 20,000" in percall.why_not_comparable({"fstat": Figure(30_000, 30_000)})
    assert "median" in percall.why_not_comparable({"fstat": Figure(10_000, 30_000)})
    assert "not measured" in percall.why_not_comparable({})


def test_the_bare_command_writes_figures_and_a_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(everything, "PARTS", {"some": Some})
    parser = argparse.ArgumentParser()
    everything.add_arguments(parser)
    assert everything.main(parser.parse_args([f"--out={tmp_path}", "--quick"])) == 0
    assert json.loads((tmp_path / "results.json").read_text())["parts"][0]["name"] == "some"
    assert "Some part" in (tmp_path / "results.html").read_text()
    assert "MISSED" in capsys.readouterr().out


class Some:
    NAME = "some"

    @staticmethod
    def add_arguments(parser):
        parser.add_argument("--rounds", type=int)

    @staticmethod
    def measure(arguments):
        assert arguments.quick
        return some_part()


def test_a_contestant_that_crashes_is_started_again_as_often_as_it_has_lives():
    crashes = "import sys\nfor count, line in enumerate(sys.stdin):\n if count == 2: sys.exit(1)\n"
    answers = " print(line.strip(), 0.5, flush=True)"
    with Child([sys.executable, "-c", crashes + answers], brittle=True, lives=2) as child:
        assert [child(times) for times in (7, 8, 9)] == [(7, 0.5), (8, 0.5), (9, 0.5)]
        with pytest.raises(Ended):
            child(10)
