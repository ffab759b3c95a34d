"""The pictures of lab 6 hold what they claim."""

import matplotlib

matplotlib.use("Agg")

import torch

from efficientlab.datasets.streets.clouds import street_clouds
from efficientlab.viz.streets.voxels import TEN, pairs_per_offset, ten_voxels, voxel_size


def test_ten_voxels_are_ten_and_their_outputs_are_counted():
    titles = [ax.get_title() for ax in ten_voxels().axes]
    coarse = len({(x // 2, y // 2) for x, y in TEN})
    reached = len({(x + i, y + j) for x, y in TEN for i in (-1, 0, 1) for j in (-1, 0, 1)})
    assert len(set(TEN)) == 10
    assert [title.split("\n")[1] for title in titles] == [f"{n} voxels" for n in (10, 10, coarse, reached)]


def test_pairs_stand_at_their_offset():
    axes = pairs_per_offset([100 * x + 10 * y + z for x in range(3) for y in range(3) for z in range(3)]).axes
    for z, ax in enumerate(axes):
        written = {text.get_position(): text.get_text() for text in ax.texts}
        assert written == {(x, y): str(100 * x + 10 * y + z) for x in range(3) for y in range(3)}


def test_a_scan_at_one_size_says_what_it_costs():
    scan = street_clouds("val", 1, points=300)
    figure = voxel_size(scan.points[0], scan.part[0], 9, 0.5)
    held = len((scan.points[0] / 0.5).floor().T.unique(dim=0))
    assert f"voxels of 0.5 m: {held:,}, " in figure.axes[1].get_title()
    assert "oracle mIoU" in figure.axes[1].get_title()
    assert torch.isfinite(torch.tensor(figure.axes[0].collections[0].get_offsets())).all()
