"""Average precision and IoU, by hand and against nuScenes' rules written out again."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from efficientlab.datasets.streets.ragged import Ragged
from efficientlab.training.streets.metrics import (
    THRESHOLDS,
    average_precision,
    best_thresholds,
    matched,
    mean_average_precision,
    overlap,
)


def boxes(*streets: list[tuple[float, ...]], width: int = 9) -> Ragged:
    """From (class, x, y[, score]) of each street."""
    rows = [torch.zeros(len(s), width) for s in streets]
    for row, street in zip(rows, streets, strict=True):
        for k, (kind, x, y, *score) in enumerate(street):
            row[k, :3] = torch.tensor([kind, x, y])
            if score:
                row[k, 8] = score[0]
    return Ragged.of(rows)


def precision_of(hits: list[int], truths: int) -> float:
    n = len(hits)
    return average_precision(torch.linspace(0.9, 0.1, n), torch.tensor(hits, dtype=torch.bool), truths)


def test_by_hand() -> None:
    assert precision_of([1, 1, 1], 3) == pytest.approx(1.0)
    assert precision_of([1], 2) == pytest.approx(40 / 90)  # precision 1 up to recall ½: bins .11 to .50
    assert precision_of([0, 1] * 50, 50) == pytest.approx(4 / 9, abs=0.015)  # precision ½, nearly
    assert precision_of([1], 20) == 0.0  # recall .05
    assert precision_of([0, 0], 3) == 0.0
    assert precision_of([], 3) == 0.0
    assert np.isnan(precision_of([1], 0))


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 20))
def test_against_the_rules_written_out(hits: list[bool], missed: int) -> None:
    truths = sum(hits) + missed
    if not truths:
        return
    recall, precision, found = [], [], 0
    for k, hit in enumerate(hits, 1):
        found += hit
        recall.append(found / truths)
        precision.append(found / k)
    total = 0.0
    for step in range(11, 101):
        r = step / 100
        if r > recall[-1] + 1e-12 or not found:
            continue
        last = max((k for k in range(len(hits)) if recall[k] <= r + 1e-12), default=None)
        if last is None:
            p = precision[0]
        elif last == len(hits) - 1 or abs(recall[last] - r) < 1e-12:
            p = precision[last]
        else:
            share = (r - recall[last]) / (recall[last + 1] - recall[last])
            p = precision[last] + share * (precision[last + 1] - precision[last])
        total += max(0.0, p - 0.1)
    assert precision_of([int(h) for h in hits], truths) == pytest.approx(total / 90 / 0.9, abs=2e-2)


def test_a_box_at_exactly_the_distance_does_not_match() -> None:
    truth = boxes([(0, 0, 0)], width=8)
    for x, hit in ((2.0, False), (1.999, True)):
        assert matched(boxes([(0, x, 0, 0.5)]), truth, 0, 2.0)[1].tolist() == [hit]


def test_a_truth_is_taken_once_and_the_next_takes_the_next() -> None:
    """Two predictions near one truth, another truth farther: the weaker one takes the farther, if it is near enough."""
    truth = boxes([(0, 0, 0), (0, 3, 0)], width=8)
    found = boxes([(0, 0.2, 0, 0.5), (0, 0.1, 0, 0.9)])
    assert matched(found, truth, 0, 2.0)[1].tolist() == [False, True]
    assert matched(found, truth, 0, 4.0)[1].tolist() == [True, True]


def test_classes_and_streets_do_not_mix() -> None:
    truth = boxes([(0, 0, 0)], [(1, 0, 0)], width=8)
    found = boxes([(1, 0, 0, 0.9)], [(0, 0, 0, 0.8), (1, 0, 0, 0.7)])
    for kind, hits in ((0, [False]), (1, [False, True])):
        scores, hit, truths = matched(found, truth, kind, 1.0)
        assert (hit.tolist(), truths, len(scores)) == (hits, 1, len(hits))


def test_perfect_is_one_and_duplicates_never_help() -> None:
    truth = boxes([(0, 0, 0), (0, 5, 0), (1, 2, 2)], [(0, 1, 1)], width=8)
    perfect = boxes([(0, 0, 0, 0.9), (0, 5, 0, 0.8), (1, 2, 2, 0.7)], [(0, 1, 1, 0.6)])
    result = mean_average_precision(perfect, truth, 3)
    assert torch.allclose(result[:2], torch.ones(2, 4, dtype=result.dtype))
    assert result[2].isnan().all()
    twice = boxes(
        [(0, 0, 0, 0.9), (0, 0, 0, 0.89), (0, 5, 0, 0.8), (1, 2, 2, 0.7)], [(0, 1, 1, 0.6), (0, 1, 1, 0.65)]
    )
    assert mean_average_precision(twice, truth, 3)[0].max() < 1


def test_without_predictions_and_without_truths() -> None:
    nothing, some = boxes([], []), boxes([(0, 0, 0)], [], width=8)
    assert mean_average_precision(nothing, some, 1).tolist() == [[0.0] * 4]
    assert mean_average_precision(boxes([(0, 0, 0, 0.5)]), boxes([], width=8), 1).isnan().all()


def test_iou_counts_over_the_whole_split() -> None:
    truth = torch.zeros(2, 1, 2, 2, dtype=torch.bool)
    truth[0, 0, 0] = True  # two cells of the first street, none of the second
    logits = torch.full((2, 1, 2, 2), -9.0)
    logits[0, 0, 0, 0] = logits[1, 0, 0, 0] = 9.0
    counted = overlap(logits, truth, (0.5,))
    assert (counted.intersection.item(), counted.union.item()) == (1, 3)
    assert counted.iou.item() == pytest.approx(1 / 3)  # and not the mean of ½ and 0


def test_the_best_threshold_of_each_class() -> None:
    p = torch.tensor([0.22, 0.42, 0.62, 0.78])
    logits = torch.logit(p).expand(1, 2, 1, 4)
    truth = torch.tensor([[[[0, 0, 1, 1]], [[0, 0, 0, 0]]]], dtype=torch.bool)
    counted = overlap(logits, truth)
    best = best_thresholds(counted)
    assert 0.42 < THRESHOLDS[best[0]] <= 0.62
    assert counted.iou[0, best[0]] == 1
