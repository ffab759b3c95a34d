"""Records shown in a notebook: a table where the repository is, nothing where it is not."""

import json

import pytest

from efficientlab.training.recorded import recorded, show_rates, show_seeds


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr("efficientlab.training.recorded.RESULTS", tmp_path)
    return tmp_path


def test_a_copy_without_the_repository_shows_nothing(results, capsys):
    assert recorded("lab5-rates") is None
    assert show_rates(5, "mIoU", ["PVCNN"]) == {}
    show_seeds(5, "mIoU")
    assert not capsys.readouterr().out


def test_rates_are_means_over_seeds_a_column_each(results, capsys):
    scores = [{"TSN": [0.3, 0.4], "TSM": [0.9, 0.9]}, {"TSN": [0.2, 0.2], "TSM": [0.75, 0.85]}]
    rates = {"1": {"lr": 0.006, "scores": scores[0]}, "2": {"lr": 0.012, "scores": scores[1]}}
    (results / "lab4-rates.json").write_text(json.dumps({"rates": rates}))
    shown = show_rates(4, "top-1", ["TSM", "TSN"], places=3)
    assert shown == {"TSM": {0.006: 0.9, 0.012: 0.8}, "TSN": {0.006: 0.35, 0.012: 0.2}}
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["top-1", "rate", "0.006", "rate", "0.012"],
        ["TSM", "0.900", "0.800"],
        ["TSN", "0.350", "0.200"],
    ]


def test_of_what_the_seeds_printed_the_table_that_is_named_is_shown(results, capsys):
    record = {
        "seeds": 5,
        "date": "2026-11-22",
        "results": [["others 1"], ["mIoU [lowest, highest]", "PVCNN 91"]],
    }
    (results / "lab5-seeds.json").write_text(json.dumps(record))
    show_seeds(5, "mIoU")
    assert capsys.readouterr().out == ("5 seeds, recorded on 2026-11-22\nmIoU [lowest, highest]\nPVCNN 91\n")
