"""Bytes by hand: what an operator must read and write, and the most that is alive at one time."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from efficientlab.counters import count

K = 4  # bytes of a float32
x = torch.randn(8, 16)  # 128 elements
index = torch.tensor([1, 3, 3])
rows = torch.randn(3, 16)
mask = torch.ones(8, 16, dtype=torch.bool)


def moved(fn, *inputs, backward=False):
    result = count(fn, *inputs, backward=backward)
    return result.bytes_read, result.bytes_written


@pytest.mark.parametrize(
    ("fn", "read", "written"),
    [
        (lambda x: x.relu(), 128 * K, 128 * K),
        (lambda x: x.relu_(), 128 * K, 128 * K),
        (lambda x: x + x, 128 * K, 128 * K),  # one distinct operand
        (lambda x: x + x.clone(), (128 + 256) * K, 256 * K),
        (lambda x: x + x[0], (128 + 16) * K, 128 * K),
        (lambda x: x[:, :4].contiguous(), 32 * K, 32 * K),
        (lambda x: x[:1].expand(8, 16) * 2.0, 16 * K, 128 * K),  # a broadcast row is read once
        (lambda x: x.t().reshape(4, 2, 16).transpose(0, 1), 128 * K, 128 * K),  # the transpose must copy
        (lambda x: x.view(4, 32)[1:].t().unsqueeze(0).detach(), 0, 0),
        (lambda x: x.split(4), 0, 0),
        (lambda x: torch.empty(8, 8), 0, 0),
        (lambda x: torch.zeros(8, 8), 0, 64 * K),
        (lambda x: torch.empty(8, 16).copy_(x), 128 * K, 128 * K),
        (lambda x: torch.cat([x, x.half().float()]), (128 + 256) * K + 128 * 2, (256 + 128) * K + 128 * 2),
        (lambda x: x.double(), 128 * K, 128 * 8),
        (lambda x: x.sum(), 128 * K, K),
        (lambda x: x.max(1), 128 * K, 8 * (K + 8)),
        (lambda x: x[0, 0].item(), K, 0),
        (lambda x: x.shape[0] + x.numel() + x.dim(), 0, 0),
        (lambda x: x @ x.t(), 128 * K, 64 * K),  # the transpose is the same memory
        (lambda x: torch.mm(x, x.t(), out=torch.empty(8, 8)), 128 * K, 64 * K),
        (lambda x: x.index_select(0, index), 48 * K + 3 * 8, 48 * K),
        (lambda x: x[index], 48 * K + 3 * 8, 48 * K),
        (lambda x: F.embedding(index, x), 48 * K + 3 * 8, 48 * K),
        (lambda x: x.index_add_(0, index, rows), (48 + 48) * K + 3 * 8, 48 * K),
        (lambda x: x.scatter_(0, index.expand(1, 3), 1.0), 3 * 8, 3 * K),
        (lambda x: torch.zeros_like(x), 0, 128 * K),  # a shape is no data
        (lambda x: torch.rand_like(x), 0, 128 * K),
        (lambda x: torch.full_like(x, 2.0), 0, 128 * K),
        (lambda x: x.new_ones(4), 0, 4 * K),
        (lambda x: torch.bernoulli(x, 0.3), 0, 128 * K),
        (lambda x: torch.bernoulli(x.sigmoid_()), (128 + 128) * K, (128 + 128) * K),  # its probabilities
        (lambda x: x.masked_fill_(mask, 0.0), 128, 128 * K),
    ],
)  # fmt: skip
def test_bytes_of_operators(fn, read, written):
    assert moved(fn, x) == (read, written)


def test_bytes_of_a_sparse_product():
    places = torch.tensor([[0, 2, 2], [1, 0, 3]])
    sparse = torch.sparse_coo_tensor(places, torch.ones(3), (4, 8)).coalesce()
    values = 3 * K
    assert moved(lambda x: sparse @ x, x) == (values + 2 * 3 * 8 + 128 * K, 64 * K)
    csr = sparse.to_sparse_csr()
    assert moved(lambda x: csr @ x, x) == (values + (3 + 5) * 8 + 128 * K, 64 * K)


def test_bytes_of_a_linear_layer_forward_and_backward():
    layer = nn.Linear(16, 4, bias=False)
    forward = (128 + 64, 32)
    weights = (32 + 128, 64)  # dW = dyᵀ x
    inputs = (32 + 64, 128)  # dx = dy W
    assert moved(layer, x) == tuple(K * n for n in forward)
    total = tuple(K * sum(n) for n in zip(forward, weights, inputs, strict=True))
    assert moved(layer, x.clone().requires_grad_(), backward=True) == total


def test_our_kernels_bring_their_own_bytes():
    from efficientlab.kernels import temporal_shift

    clip = torch.randn(8, 16, 3, 3)
    assert moved(lambda x: temporal_shift(x, 4), clip) == (clip.nbytes, clip.nbytes)


def test_intensity_is_flops_per_byte():
    result = count(nn.Linear(16, 4, bias=False), x)
    assert result.intensity == 2 * (8 * 16 * 4) / (K * (128 + 64 + 32))
    assert count(lambda x: x.view(-1), x).intensity == 0


# ---------------------------------------------------------------------------------------------- memory


def peak(fn, *inputs, backward=False):
    return count(fn, *inputs, backward=backward).peak_activation_bytes


B = 128 * K  # bytes of x


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize(
    ("fn", "bytes_"),
    [
        (lambda x: x.view(16, 8).t(), 0),
        (lambda x: x.relu_(), 0),
        (lambda x: x.relu().tanh().sigmoid(), 2 * B),  # a result beside its input; the one before is gone
        (lambda x: (y := x.relu()) + y.tanh(), 3 * B),
        (lambda x: x.relu().tanh_().sigmoid_(), B),
        (lambda x: x.repeat(4, 1)[:1].clone(), 4 * B + 16 * K),  # a view keeps all of its memory alive
        (lambda x: torch.mm(x, x.t(), out=torch.empty(0, device=x.device)), 64 * K),  # grown by the operator
    ],
)
def test_peak_by_hand(fn, bytes_, device):
    assert peak(fn, x.to(device)) == bytes_


def test_training_keeps_activations_and_inference_does_not():
    model = nn.Sequential(*(nn.Sequential(nn.Linear(16, 16, bias=False), nn.Tanh()) for _ in range(6)))
    assert (
        peak(model, x) == 3 * B
    )  # in and out of a Tanh, and the block's input, which its caller still holds
    # each Tanh is kept for its own gradient and as the next layer's input; then two gradients beside them
    assert peak(model, x, backward=True) == pytest.approx(6 * B + 2 * B, abs=16 * 16 * K)


def test_gradients_of_parameters_are_no_activations():
    wide = nn.Linear(16, 4096, bias=False)  # a gradient of 256 KB from activations of 128 KB
    gradient = wide.weight.nbytes
    assert gradient <= peak(wide, x, backward=True) <= 8 * 4096 * K + gradient
    two = nn.Sequential(wide, nn.Linear(4096, 16, bias=False))
    assert peak(two, x, backward=True) < 8 * 4096 * K * 2 + gradient + 2 * B  # never both weight gradients


def test_rows_have_a_peak_of_their_own():
    model = nn.Sequential(nn.Linear(16, 64, bias=False), nn.ReLU(), nn.Linear(64, 2, bias=False))
    rows = count(model, x)
    wide, narrow = 8 * 64 * K, 8 * 2 * K
    assert [rows[str(i)].peak_activation_bytes for i in range(3)] == [wide, 2 * wide, wide + narrow]
    assert rows.peak_activation_bytes == 2 * wide


def test_meta_and_cpu_agree_on_a_convolutional_network():
    def network():
        return nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, groups=8),
            nn.ConvTranspose2d(8, 4, 2, stride=2), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 5),
        )  # fmt: skip

    image = torch.randn(2, 3, 20, 20)
    cpu, meta = count(network(), image), count(network().to("meta"), image.to("meta"))
    for field in ("macs", "peak_activation_bytes"):
        assert [getattr(row, field) for row in cpu.rows] == [getattr(row, field) for row in meta.rows]
