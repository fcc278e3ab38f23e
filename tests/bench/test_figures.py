"""The report of the benchmarks: medians, spreads, ratios, the table."""

import json

from bench.figures import RATIOS, Figures, table, write

CONTRACT = {
    "append_1000_vs_bare",
    "append_1_vs_bare",
    "eight_writers_vs_one",
    "append_1000_vs_hordak",
    "append_1000_vs_seed",
    "page_1m_vs_10k",
    "balance_1m_vs_10k",
    "queue_mine_100k_vs_1k",
    "promise_attacked_vs_calm",
    "stored_vs_empty_view",
}
MACHINE = {"platform": "Linux", "cores": 2, "fsync": "on"}


def three_runs():
    figures = Figures()
    for appended, bare in ((100, 1000), (900, 3000), (250, 1000)):
        figures.add("append_1_per_s", appended)
        figures.add("bare_insert_1_per_s", bare)
    figures.add("browser_100k_s", 1.23456, "s")
    return figures


def test_a_figure_is_the_median_of_its_runs_with_their_spread():
    told = three_runs().told(MACHINE)

    assert told["figures"] == {
        "append_1_per_s": {"value": 250, "unit": "1/s", "spread": [100, 900]},
        "bare_insert_1_per_s": {"value": 1000, "unit": "1/s", "spread": [1000, 3000]},
        "browser_100k_s": {"value": 1.23, "unit": "s", "spread": [1.23, 1.23]},
    }
    assert told["machine"] == MACHINE


def test_a_ratio_is_taken_within_each_run_and_only_of_what_was_measured():
    assert three_runs().told(MACHINE)["ratios"] == {"append_1_vs_bare": 0.25}
    assert RATIOS.keys() >= CONTRACT


def test_what_is_skipped_is_said_in_the_report_and_aloud(capsys):
    figures = Figures()

    figures.skip("browser_100k_s", "no Chromium")

    assert "skipped: browser_100k_s: no Chromium" in capsys.readouterr().err
    assert "skipped: browser_100k_s: no Chromium" in table(figures.told(MACHINE))


def test_the_table_and_the_file_say_the_same(tmp_path):
    told = three_runs().told(MACHINE)

    write(told, tmp_path / "results" / "latest.json")

    assert json.loads((tmp_path / "results" / "latest.json").read_text()) == told
    lines = table(told).splitlines()
    assert any(
        line.split() == ["append_1_per_s", "250", "1/s", "100", "to", "900"] for line in lines
    )
    assert any(line.split() == ["append_1_vs_bare", "0.25"] for line in lines)
