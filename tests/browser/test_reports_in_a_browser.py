"""The grader's reports in a browser: no complaint, nothing serious for axe-core, colours also on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from efficientlab.exercises.labs import find_lab
from efficientlab.grading.record import ExerciseResult, Record, Status
from efficientlab.grading.reporting.reports import write_reports

pytestmark = pytest.mark.slow
LAB = find_lab(4)


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports of nine students, one for each outcome."""
    folder = tmp_path_factory.mktemp("grades")
    statuses = get_args(Status)
    records = []
    for i, first in enumerate(statuses):
        results = []
        for j, e in enumerate(LAB.exercises):
            status: Status = (
                "by hand" if e.check is None else statuses[(i + j) % len(statuses)] if j % 2 else first
            )
            earned = None if status in ("by hand", "not checked") else e.points if status == "passed" else 0
            message = "`temporal_shift` gives the values of a shift in the other direction"
            results.append(
                ExerciseResult(e.id, e.title, e.points, e.bonus, earned, status, message, None, 3, 0.5)
            )
        notes = ("`%matplotlib` was left out.",)
        records.append(
            Record(
                f"s{i}",
                f"Student {i}",
                "s.ipynb",
                "0" * 64,
                None,
                4,
                "0.1.0",
                7,
                "namespaces",
                "",
                tuple(results),
                notes,
            )
        )
    write_reports(records, folder, LAB)
    return folder


@pytest.mark.parametrize("name", ["index.html", "pages/s1.html"])
@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_a_report_opens_without_complaint(
    name: str, width: int, height: int, grades: Path, window: Callable[..., Any]
) -> None:
    opened = window("file://", width, height)
    opened.page.goto((grades / name).as_uri())
    assert opened.serious() == []
    assert opened.too_wide() <= 0
    assert opened.complaints == []


def test_bars_and_their_key_are_printed_in_colour(grades: Path, window: Callable[..., Any]) -> None:
    opened = window("file://")
    opened.page.goto((grades / "index.html").as_uri())
    opened.page.emulate_media(media="print")
    for place in (".bar span", ".key", ".columns span"):
        style = f"getComputedStyle(document.querySelector('{place}'))"
        assert opened.page.evaluate(f"{style}.printColorAdjust") == "exact", place
        assert opened.page.evaluate(f"{style}.backgroundColor") != "rgba(0, 0, 0, 0)", place
