"""mIoU by hand on small tables, and the bound that voxels set."""

import pytest
import torch

from efficientlab.datasets.points.clouds import IGNORED
from efficientlab.training.streets.miou import class_score, voxel_oracle


def test_iou_by_hand():
    true = torch.tensor([[0, 0, 0, 1], [1, 2, 2, IGNORED]])
    said = torch.tensor([[0, 0, 1, 1], [1, 2, 0, 2]])
    score = class_score(said, true, 4)
    assert score.iou[:3].tolist() == pytest.approx([2 / 4, 2 / 3, 1 / 2])
    assert score.iou[3].isnan()
    assert score.present.tolist() == [True, True, True, False]
    assert score.miou == pytest.approx((2 / 4 + 2 / 3 + 1 / 2) / 3)  # over what occurs
    assert score.mean_of([0, 2]) == pytest.approx(0.5)
    assert score.accuracy == pytest.approx(5 / 7)


def test_a_class_that_is_only_predicted_costs_its_points_and_is_not_averaged():
    score = class_score(torch.tensor([0, 1]), torch.tensor([0, 0]), 2)
    assert score.iou.tolist() == [0.5, 0.0]
    assert score.miou == 0.5


def test_it_is_the_sum_over_scans_and_not_the_mean_of_scans():
    true, said = torch.tensor([[0, 0, 0, 1], [0, 1, 1, 1]]), torch.tensor([[0, 0, 0, 0], [0, 1, 1, 1]])
    whole = class_score(said, true, 2)
    apart = [class_score(s, t, 2).miou for s, t in zip(said, true, strict=True)]
    assert whole.miou == pytest.approx((4 / 5 + 3 / 4) / 2)
    assert whole.miou != pytest.approx(sum(apart) / 2)


def test_what_cannot_be_compared_is_said():
    with pytest.raises(ValueError, match=r"predictions \(2,\) do not fit labels \(3,\)"):
        class_score(torch.zeros(2), torch.zeros(3), 2)
    with pytest.raises(ValueError, match="there is no labelled point"):
        class_score(torch.zeros(2), torch.full((2,), IGNORED), 2)
    with pytest.raises(ValueError, match="predicted labels must be 0 to 1, got 0 to 2"):
        class_score(torch.tensor([0, 2]), torch.tensor([0, 1]), 2)


def test_the_oracle_gives_a_voxel_the_label_of_most_of_its_points():
    x = torch.tensor([[0.1, 0.2, 0.3, 0.6, -0.1, 0.7]])
    points = torch.cat([x, torch.zeros(2, 6)])[None]  # (1, 3, 6)
    label = torch.tensor([[1, 1, 0, 2, 3, IGNORED]])
    assert voxel_oracle(points, label, 0.5).tolist() == [[1, 1, 1, 2, 3, 2]]
    assert voxel_oracle(points, label, 0.05)[0, :5].tolist() == label[0, :5].tolist()
    assert voxel_oracle(points, label, 0.05)[0, 5] == IGNORED


def test_the_oracle_keeps_scans_apart():
    points, label = torch.zeros(2, 3, 3), torch.tensor([[0, 0, 0], [1, 1, 1]])
    assert torch.equal(voxel_oracle(points, label, 1.0), label)


def test_no_labelling_of_voxels_has_more_points_right():
    rng = torch.Generator().manual_seed(0)
    points, label = torch.rand(2, 3, 200, generator=rng), torch.randint(4, (2, 200), generator=rng)
    best = class_score(voxel_oracle(points, label, 0.3), label, 4).accuracy
    row = torch.cat(
        [torch.arange(2).repeat_interleave(200)[:, None], (points / 0.3).floor().long().mT.flatten(0, 1)], 1
    )
    row = row.unique(dim=0, return_inverse=True)[1]
    for _ in range(20):
        other = torch.randint(4, (int(row.max()) + 1,), generator=rng)[row].view_as(label)
        assert class_score(other, label, 4).accuracy <= best
