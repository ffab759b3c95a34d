"""Scores of what cannot be scored: NaN, labels of narrow types, foreign classes, sets that do not fit each other."""

from functools import partial

import pytest
import torch
from torch import nn

from efficientlab.datasets.gan.avatars import ATTRIBUTES
from efficientlab.datasets.points.clouds import Clouds
from efficientlab.datasets.streets.ragged import Ragged
from efficientlab.datasets.video.arrowset import Clips
from efficientlab.kernels import BEVGrid
from efficientlab.models.gan.attributes import attribute_accuracy
from efficientlab.models.streets.bevfusion import Outputs
from efficientlab.models.weights import load_weights, save_weights
from efficientlab.training.finite import labels_within
from efficientlab.training.gan.distances import fid, frechet_distance, kernel_distance, kid
from efficientlab.training.gan.features import accuracy
from efficientlab.training.points import segment
from efficientlab.training.streets.decode import decode
from efficientlab.training.streets.metrics import average_precision, mean_average_precision, overlap
from efficientlab.training.streets.miou import class_score, voxel_oracle
from efficientlab.training.video import classify

NAN = float("nan")


# -------------------------------------------------------------------------------------------- mIoU


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32])
def test_labels_of_few_bits_do_not_wrap(dtype):
    """19 · 18 + 18 is more than 8 bits: such labels of SemanticKITTI scored 0.59 where all were right."""
    labels = torch.arange(19).to(dtype)
    score = class_score(labels, labels, 19)
    assert (score.miou, score.accuracy) == (1.0, 1.0)


def test_a_label_of_8_bits_is_not_taken_for_the_one_to_ignore():
    """-100 is 156 in 8 bits."""
    with pytest.raises(ValueError, match="true labels must be 0 to 1, got 0 to 156"):
        class_score(torch.zeros(2, dtype=torch.uint8), torch.tensor([0, 156], dtype=torch.uint8), 2)


def test_labels_are_whole_numbers():
    for labels in (torch.tensor([0.5]), torch.tensor([NAN])):
        with pytest.raises(ValueError, match="labels must be whole numbers"):
            class_score(labels, torch.tensor([0]), 2)
        with pytest.raises(ValueError, match="labels must be whole numbers"):
            labels_within(labels, 2, "labels")
    labels_within(torch.tensor([True, False]), 2, "labels")


def test_the_mean_of_classes_that_do_not_occur():
    score = class_score(torch.tensor([0]), torch.tensor([0]), 3)
    for classes in ([0, 2], [], [3], [-1]):
        with pytest.raises(ValueError, match="classes must all occur"):
            score.mean_of(classes)


@pytest.mark.parametrize(
    ("points", "label", "size", "sentence"),
    [
        (torch.zeros(1, 3, 3), torch.ones(1, 3, dtype=torch.int64), 0.0, "size must be positive"),
        (torch.zeros(1, 3, 3), torch.ones(1, 3, dtype=torch.int64), -1.0, "size must be positive"),
        (torch.full((1, 3, 3), NAN), torch.ones(1, 3, dtype=torch.int64), 1.0, "coordinates are not finite"),
        (torch.zeros(1, 3, 4), torch.ones(1, 3, dtype=torch.int64), 1.0, "must fit and not be empty"),
        (torch.zeros(1, 3, 0), torch.ones(1, 0, dtype=torch.int64), 1.0, "must fit and not be empty"),
        (torch.zeros(1, 3, 2), torch.tensor([[-1, 0]]), 1.0, "labels must be whole numbers from 0, or -100"),
        (torch.zeros(1, 3, 2), torch.tensor([[1.5, 0]]), 1.0, "labels must be whole numbers from 0, or -100"),
    ],
)
def test_voxels_of_what_is_no_cloud(points, label, size, sentence):
    with pytest.raises(ValueError, match=sentence):
        voxel_oracle(points, label, size)


def test_parts_of_clouds():
    allowed = torch.tensor([[True, True, False], [False, False, True]])
    part = torch.tensor([[0, 1, 0, 1], [2, 2, 2, 2]])
    clouds = Clouds(torch.zeros(2, 3, 4), torch.zeros(2, 3, 4), part, torch.tensor([0, 1]))
    for dtype in (torch.uint8, torch.int16, torch.int32):
        assert segment.score(part.to(dtype), clouds, allowed).instance == 1.0
    for predicted, given, sentence in (
        (part + 0.5, clouds, "predictions must be whole numbers"),
        (part[:0], clouds[:0], "no point to compare"),
        (part, Clouds(clouds.points, clouds.extra, part, torch.tensor([0, 5])), "categories must be 0 to 1"),
    ):
        with pytest.raises(ValueError, match=sentence):
            segment.score(predicted, given, allowed)
    with pytest.raises(ValueError, match="no cloud to label"):
        segment.evaluate(nn.Conv1d(6, 3, 1), clouds[:0], allowed)


def test_clips():
    kind = torch.tensor([0, 1])
    clips = Clips(torch.zeros(2, 1, 3, 2, 2, dtype=torch.uint8), kind, kind, kind * 0)
    with pytest.raises(ValueError, match="Logits must be of pairs of classes"):
        classify.score(torch.zeros(2, 5), clips)
    with pytest.raises(ValueError, match="There is no clip"):
        classify.score(torch.zeros(0, 12), clips[:0])
    for shape in ((2,), (2, 4, 3)):
        with pytest.raises(ValueError, match=r"Logits must be \(N, classes\), got"):
            classify.score(torch.zeros(shape), clips)
    third = Clips(clips.video, kind, torch.tensor([2, 0]), kind * 0)
    with pytest.raises(ValueError, match="arrows must be 0 to 1, got 0 to 2"):
        classify.score(torch.zeros(2, 4), third)


# ------------------------------------------------------------------------------------- boxes and maps


def boxes(*rows, width):
    return Ragged(torch.tensor(rows, dtype=torch.float32).reshape(-1, width), torch.tensor([len(rows)]))


def test_average_precision():
    for score, hit, truths, sentence in (
        ([NAN, 0.5], [True, False], 1, "scores are not finite"),
        ([0.5], [True, False], 1, "each score has one hit"),
        ([0.5, 0.4], [True, True], 1, "2 predictions are true, but there are 1 truths"),
        ([0.5], [False], -1, "there are -1 truths"),
        ([0.5], [2], 3, "each score has one hit, true or false"),
    ):
        with pytest.raises(ValueError, match=sentence):
            average_precision(torch.tensor(score), torch.tensor(hit), truths)


def test_mean_average_precision():
    found, truth = [0, 0, 0, 0, 1, 1, 1, 0, 0.9], [0, 0, 0, 0, 1, 1, 1, 0]
    for f, t, sentence in (
        (boxes([0, NAN, *found[2:]], width=9), boxes(truth, width=8), "numbers of boxes are not finite"),
        (
            boxes([7, *found[1:]], width=9),
            boxes(truth, width=8),
            "classes of boxes must be 0 to 1, got 7 to 7",
        ),
        (boxes(found, width=9), boxes([7, *truth[1:]], width=8), "classes of true boxes must be 0 to 1"),
        (boxes([0.5, *found[1:]], width=9), boxes(truth, width=8), "classes of boxes must be whole numbers"),
        (boxes(found, width=9), Ragged(torch.zeros(0, 8), torch.tensor([0, 0])), "1 streets, truth of 2"),
    ):
        with pytest.raises(ValueError, match=sentence):
            mean_average_precision(f, t, 2)


def test_overlap_of_maps():
    logits, truth = torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 3, dtype=torch.bool)
    with pytest.raises(ValueError, match="probabilities are not finite"):
        overlap(logits * NAN, truth)
    for wrong in (truth[:, :1], truth.byte() * 255, truth.float()):
        with pytest.raises(ValueError, match="truth must be bool of logits' shape"):
            overlap(logits, wrong)


def test_boxes_of_a_network_that_diverged_and_of_a_small_grid():
    grid = BEVGrid((0, 4, 1), (0, 4, 1), (0, 1))
    heads = Outputs(heat=torch.zeros(1, 2, 4, 4), box=torch.zeros(1, 8, 4, 4), map=torch.zeros(1, 2, 4, 4))
    assert len(decode(heads, grid, most=100).rows) == 32  # all cells are equally high
    with pytest.raises(ValueError, match="scores of boxes are not finite"):
        decode(heads._replace(heat=heads.heat * NAN), grid)


# ---------------------------------------------------------------------------------- pictures, weights


class First(nn.Module):
    def __init__(self, give):
        super().__init__()
        self.give, self.norm = give, nn.BatchNorm2d(1)

    def forward(self, x):
        return self.give(x)


def test_features_that_are_none():
    pictures = torch.randn(50, 1, 2, 2)
    for give in (lambda x: x, lambda x: x.flatten(1).to(torch.complex64), lambda x: x.flatten(1)[:9]):
        with pytest.raises(ValueError, match=r"features must be real \(N, D\), N = 50"):
            fid(pictures, pictures, First(give).eval())
    network = First(lambda x: x.flatten(1)).eval()
    with pytest.raises(ValueError, match=r"pictures must be \(N, C, H, W\)"):
        fid(pictures[0], pictures, network)
    with pytest.raises(TypeError, match=r"subset must be a whole number, got 2\.5"):
        kid(pictures, pictures, network, subset=2.5)
    network.norm.train()  # one layer is enough
    with pytest.raises(ValueError, match="training mode"):
        fid(pictures, pictures, network)


@pytest.mark.parametrize("distance", [frechet_distance, partial(kernel_distance, subset=10)])
def test_distances_of_features_that_were_kept(distance):
    r, f = (torch.randn(50, 4, generator=torch.Generator().manual_seed(seed)) * 9 for seed in (0, 1))
    for broken in (NAN, float("inf")):
        with pytest.raises(ValueError, match="4 of 200 features are not finite"):
            distance(r, f.index_fill(0, torch.tensor([3]), broken))
    for wrong in (f[:, :3], f[0], f.to(torch.complex64)):
        with pytest.raises(ValueError, match=r"features must be real \(N, D\) of one D"):
            distance(r, wrong)
    expected = distance(r.round().double(), f.round().double())
    for dtype in (torch.int64, torch.float16):  # torchmetrics would round its result as well
        assert distance(r.round().to(dtype), f.round().to(dtype)) == expected
    with pytest.raises(ValueError, match="1 distances are not finite"):
        distance(r.double() * 1e160, f.double() * 1e160)


class Scores:
    """Gives what it is told for each picture's first number."""

    def logits(self, x):
        return x.flatten(1).repeat(1, 24)


def test_attributes():
    pictures, target = torch.zeros(2, 1, 1, 1), torch.zeros(2, 6)
    target[:, list(ATTRIBUTES).index("glasses")] = 1  # nobody's eyes are seen
    assert attribute_accuracy(Scores(), pictures, target) == 3 / 4
    with pytest.raises(ValueError, match="a score of the attributes is not finite"):
        attribute_accuracy(Scores(), pictures * NAN, target)
    for wrong in (target[:1], target[:0]):
        with pytest.raises(ValueError, match="each picture needs one target"):
            attribute_accuracy(Scores(), pictures, wrong)


class Logits:
    def logits(self, x):
        return x.flatten(1)


@pytest.mark.parametrize(
    ("n", "labels", "sentence"),
    [
        (4, torch.arange(3), "each picture needs one label"),
        (4, torch.eye(4), "each picture needs one label"),
        (0, torch.arange(0), "each picture needs one label"),
        (4, torch.tensor([0, 1, 2, 9]), "labels must be 0 to 3, got 0 to 9"),
    ],
)
def test_accuracy(n, labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        accuracy(Logits(), torch.eye(4).view(4, 1, 2, 2)[:n], labels)


def test_weights_that_half_precision_cannot_hold(tmp_path):
    path = tmp_path / "w.safetensors"
    layer, norm = nn.Linear(2, 2), nn.BatchNorm1d(2)
    with torch.no_grad():
        layer.weight.fill_(1e6)
    with pytest.raises(ValueError, match=r"net\.weight is not finite in half precision, largest 1e\+06"):
        save_weights(path, net=layer)
    assert not path.exists()
    norm.num_batches_tracked.fill_(100_001)  # 16 bits would make infinity of it
    save_weights(path, net=norm)
    assert load_weights(nn.BatchNorm1d(2), path, "net.").num_batches_tracked == 100_001
    with pytest.raises(ValueError, match=r"w\.safetensors does not hold the weights of 'other\.' Linear"):
        load_weights(layer, path, "other.")
    path.write_bytes(b"junk")
    with pytest.raises(ValueError, match=r"w\.safetensors does not hold"):
        load_weights(norm, path, "net.")
