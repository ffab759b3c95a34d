"""Cases for `counters.py`: small models whose multiply-accumulates are derived by hand.

Each case states its MACs as an expression over the numbers in its own model, with the derivation in a comment.
The cases cover every kind of layer that the labs use. `meta=False` marks the ones whose cost depends on data
(indices), which meta tensors do not have.

Conventions: products with zero padding count; activation, normalisation, pooling and indexing do not, and
layers have no bias, about which tools differ. Causal attention counts the pairs (i, j ≤ i) that its mask
leaves. A backward pass has one product for the gradient of the weights and one for the gradient of the
input, the latter only where the input needs one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from counters_parts import (
    Bottleneck,
    Call,
    Checkpointed,
    LSTMWithState,
    Opaque,
    SelfAttention,
    SharedLinear,
    SparseConv,
    attention_by_hand,
    causal_attention,
    cyclegan_generator,
    cyclegan_macs,
    inverted_residual,
    shift_by_slices,
    sparse_matrix,
)
from torch import Tensor, nn


@dataclass(frozen=True)
class Case:
    """One model, its inputs (made on a device), and the MACs that it must have."""

    name: str
    make: Callable[[str], tuple[nn.Module, tuple[Any, ...]]]
    macs: int
    backward: bool = False
    meta: bool = True


def module(
    build: Callable[[], nn.Module], *shapes: tuple[int, ...], grad: bool = False, train: bool = False
) -> Any:
    """A case's `make` for a module and inputs of the given shapes."""

    def make(device: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
        torch.manual_seed(0)
        with torch.device(device):
            net = build().train(train)
            return net, tuple(torch.randn(shape, requires_grad=grad) for shape in shapes)

    return make


def function(fn: Callable[..., Any], *shapes: tuple[int, ...], grad: bool = False) -> Any:
    return module(lambda: Call(fn), *shapes, grad=grad)


def with_sparse(convert: Callable[[Tensor], Tensor], *shapes: tuple[int, ...], grad: bool = False) -> Any:
    def make(device: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
        left = convert(sparse_matrix()).to(device)
        with torch.device(device):
            inputs = tuple(torch.randn(shape, requires_grad=grad) for shape in shapes)
        return Call(lambda x: left @ x), inputs

    return make


def with_sparse_square(device: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
    left = sparse_matrix().to_sparse_csr().to(device)
    right = sparse_matrix().t().coalesce().to_sparse_csr().to(device)
    return Call(lambda: left @ right), ()


def weighted_bags(device: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """Trilinear devoxelization as a weighted bag: 5 points, 8 corners each, of a table of 27 voxels × 12."""
    generator = torch.Generator().manual_seed(0)
    corners = torch.randint(27, (5, 8), generator=generator).to(device)
    weights = torch.rand(5, 8, generator=generator).to(device)
    bag = Call(lambda table: F.embedding_bag(corners, table, per_sample_weights=weights, mode="sum"))
    return bag, (torch.randn(27, 12, device=device),)


def voxel_means(device: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """Average voxelization as it is written with torch alone: sums and counts, no product."""
    index = torch.tensor([0, 3, 3, 1, 0], device=device)

    def voxelize(features: Tensor) -> Tensor:
        sums = features.new_zeros(8, 12).index_add(0, index, features)
        counts = features.new_zeros(8).index_add(0, index, features.new_ones(5))
        return sums / counts.clamp(min=1)[:, None]

    return Call(voxelize), (torch.randn(5, 12, device=device),)


# --------------------------------------------------------------------------------------------------- cases

CASES = [
    # A convolution's weight is applied once at each output position: N · positions · |weight|.
    Case("conv 1d", module(lambda: nn.Conv1d(4, 6, 3, bias=False), (2, 4, 10)), 2 * 8 * (6 * 4 * 3)),
    Case(
        "conv 2d", module(lambda: nn.Conv2d(3, 8, 3, bias=False), (2, 3, 10, 12)), 2 * (8 * 10) * (8 * 3 * 9)
    ),
    Case(
        "conv 2d, stride 2",
        module(lambda: nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), (1, 3, 11, 16)),
        (6 * 8) * (8 * 3 * 9),
    ),
    Case("conv 2d, 1×1", module(lambda: nn.Conv2d(16, 32, 1, bias=False), (2, 16, 7, 7)), 2 * 49 * (32 * 16)),
    Case(
        "conv 2d, dilated",
        module(lambda: nn.Conv2d(4, 8, 3, dilation=3, bias=False), (1, 4, 16, 16)),
        (10 * 10) * (8 * 4 * 9),  # a reach of 7 leaves 10 positions
    ),
    Case(
        "conv 2d, groups 4",
        module(lambda: nn.Conv2d(16, 32, 3, padding=1, groups=4, bias=False), (2, 16, 8, 8)),
        2 * 64 * (32 * (16 // 4) * 9),
    ),
    Case(
        "conv 2d, depthwise",
        module(lambda: nn.Conv2d(16, 16, 5, padding=2, groups=16, bias=False), (2, 16, 8, 8)),
        2 * 64 * (16 * 1 * 25),
    ),
    Case(
        "conv 2d, same padding",
        module(lambda: nn.Conv2d(3, 8, 4, padding="same", bias=False), (1, 3, 9, 9)),
        81 * (8 * 3 * 16),
    ),
    Case("conv 2d, unbatched", module(lambda: nn.Conv2d(3, 8, 3, bias=False), (3, 10, 10)), 64 * (8 * 3 * 9)),
    Case(
        "conv 3d", module(lambda: nn.Conv3d(2, 4, 3, bias=False), (1, 2, 6, 7, 8)), (4 * 5 * 6) * (4 * 2 * 27)
    ),
    Case(
        "conv 3d, depthwise (2+1)d",
        module(lambda: nn.Conv3d(8, 8, (3, 1, 1), padding=(1, 0, 0), groups=8, bias=False), (2, 8, 4, 5, 5)),
        2 * (4 * 25) * (8 * 3),
    ),
    # A transposed convolution's weight is applied once at each *input* position.
    Case(
        "conv transposed 1d",
        module(lambda: nn.ConvTranspose1d(4, 6, 4, stride=2, bias=False), (2, 4, 9)),
        2 * 9 * (4 * 6 * 4),
    ),
    Case(
        "conv transposed 2d, k4 s2",
        module(lambda: nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1, bias=False), (2, 8, 6, 6)),
        2 * 36 * (8 * 4 * 16),
    ),
    Case(
        "conv transposed 2d, groups 2",
        module(lambda: nn.ConvTranspose2d(8, 12, 3, stride=2, groups=2, bias=False), (1, 8, 5, 5)),
        25 * (8 * (12 // 2) * 9),
    ),
    Case(
        "conv transposed 3d",
        module(lambda: nn.ConvTranspose3d(2, 4, 2, stride=2, bias=False), (1, 2, 3, 4, 5)),
        60 * (2 * 4 * 8),
    ),
    Case(
        "conv 2d, functional",
        function(lambda x, w: F.conv2d(x, w, padding=1), (1, 4, 6, 6), (8, 4, 3, 3)),
        36 * (8 * 4 * 9),
    ),
    Case(
        "bottleneck",  # 1×1 at 16², the rest at 8²
        module(lambda: Bottleneck(64, 16, 64, stride=2), (1, 64, 16, 16)),
        256 * (64 * 16) + 64 * (16 * 16 * 9) + 64 * (16 * 64) + 64 * (64 * 64),
    ),
    Case("inverted residual", module(inverted_residual, (1, 8, 9, 9)), 81 * (8 * 48 + 48 * 9 + 48 * 8)),
    Case("CycleGAN ResNet-9, 64²", module(cyclegan_generator, (1, 3, 64, 64)), cyclegan_macs(64)),
    # Products of matrices: m · k · n.
    Case("linear", module(lambda: nn.Linear(16, 24, bias=False), (5, 16)), 5 * 16 * 24),
    Case("linear on tokens", module(lambda: nn.Linear(16, 24, bias=False), (2, 7, 16)), 2 * 7 * 16 * 24),
    Case("linear, functional", function(lambda x, w: F.linear(x, w), (5, 16), (24, 16)), 5 * 16 * 24),
    Case("one layer called 3 times", module(SharedLinear, (5, 16)), 3 * 5 * 16 * 16),
    Case("matmul, broadcast", function(torch.matmul, (3, 1, 4, 5), (2, 5, 6)), 3 * 2 * 4 * 5 * 6),
    Case("matrix × vector", function(torch.mv, (12, 7), (7,)), 12 * 7),
    Case(
        "einsum, batched",
        function(lambda a, b: torch.einsum("nhld,nhsd->nhls", a, b), (2, 3, 4, 5), (2, 3, 6, 5)),
        2 * 3 * 4 * 6 * 5,  # one product for each value of each index
    ),
    Case(
        "einsum, contraction",
        function(lambda a, b: torch.einsum("ijk,kjl->il", a, b), (4, 3, 5), (5, 3, 6)),
        4 * 6 * (3 * 5),
    ),
    Case("distances of all pairs", function(lambda a, b: torch.cdist(a, b), (9, 4), (7, 4)), 9 * 7 * 4),
    Case(
        "product in an autograd function",
        function(lambda x, w: Opaque.apply(x, w), (5, 6), (6, 7)),
        5 * 6 * 7,
    ),
    # Recurrent: each token meets W_ih (gates·H × I) and W_hh (gates·H × H) of each layer and direction.
    Case("RNN", module(lambda: nn.RNN(6, 8, bias=False), (5, 2, 6)), 5 * 2 * (8 * 6 + 8 * 8)),
    Case("LSTM", module(lambda: nn.LSTM(6, 8, bias=False), (5, 2, 6)), 5 * 2 * (32 * 6 + 32 * 8)),
    Case(
        "LSTM, 2 layers, both directions",  # the second layer reads 2·H
        module(lambda: nn.LSTM(6, 8, 2, bidirectional=True, batch_first=True, bias=False), (2, 5, 6)),
        5 * 2 * (2 * (32 * 6 + 32 * 8) + 2 * (32 * 16 + 32 * 8)),
    ),
    Case(
        "LSTM, projected",  # W_hh reads the projection, 3 wide; W_hr makes it
        module(lambda: nn.LSTM(6, 8, proj_size=3, bias=False), (5, 2, 6)),
        5 * 2 * (32 * 6 + 32 * 3 + 3 * 8),
    ),
    Case(
        "GRU, 2 layers",
        module(lambda: nn.GRU(6, 8, 2, bias=False), (5, 2, 6)),
        5 * 2 * (24 * 6 + 24 * 8 + 2 * 24 * 8),
    ),
    Case("LSTM cell", module(lambda: nn.LSTMCell(6, 8, bias=False), (2, 6)), 2 * (32 * 6 + 32 * 8)),
    Case("GRU cell", module(lambda: nn.GRUCell(6, 8, bias=False), (2, 6)), 2 * (24 * 6 + 24 * 8)),
    # Attention: N·h·L·S pairs, d MACs for the score and e for the value.
    Case("attention by hand", function(attention_by_hand, *[(2, 3, 8, 4)] * 3), 2 * 3 * 64 * (4 + 4)),
    Case("attention", function(F.scaled_dot_product_attention, *[(2, 3, 8, 4)] * 3), 2 * 3 * 64 * (4 + 4)),
    Case(
        "attention, across, wider values",
        function(F.scaled_dot_product_attention, (2, 3, 8, 4), (2, 3, 5, 4), (2, 3, 5, 6)),
        2 * 3 * (8 * 5) * (4 + 6),
    ),
    Case(
        "attention, causal", function(causal_attention, *[(2, 3, 8, 4)] * 3), 2 * 3 * (8 * 9 // 2) * (4 + 4)
    ),
    Case(
        "attention, causal, fewer keys",  # rows of 1, 2, 3, 3, 3 keys
        function(causal_attention, (1, 2, 5, 4), (1, 2, 3, 4), (1, 2, 3, 4)),
        2 * (1 + 2 + 3 + 3 + 3) * (4 + 4),
    ),
    Case(
        "attention, grouped queries",  # 4 query heads share 2 key heads; all 4 are computed
        function(
            lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True),
            (1, 4, 8, 4),
            (1, 2, 8, 4),
            (1, 2, 8, 4),
        ),
        4 * 64 * (4 + 4),
    ),
    # A block of attention: q, k, v and output projections of each token, 2·E MACs for each pair of tokens.
    Case("multi-head attention", module(SelfAttention, (1, 6, 16)), 6 * (4 * 16 * 16) + 36 * 2 * 16),
    Case(
        "transformer encoder layer, fast path",  # and an MLP of 16 → 32 → 16
        module(lambda: nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), (2, 6, 16)),
        12 * (4 * 16 * 16 + 2 * 16 * 32) + 2 * 36 * 2 * 16,
    ),
    Case(
        "transformer encoder layer, training",
        module(lambda: nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1), (6, 2, 16), train=True),
        12 * (4 * 16 * 16 + 2 * 16 * 32) + 2 * 36 * 2 * 16,
    ),
    Case(
        "transformer decoder layer",  # 5 targets attend to themselves, then to 7 memories
        module(lambda: nn.TransformerDecoderLayer(16, 2, 32), (5, 1, 16), (7, 1, 16)),
        5 * (4 * 16 * 16) + 25 * 2 * 16 + (2 * 5 + 2 * 7) * 16 * 16 + 35 * 2 * 16 + 5 * (2 * 16 * 32),
    ),
    # Sparse: stored entries times columns; pairs of points times weights.
    Case("COO × dense", with_sparse(lambda s: s, (10, 6)), 11 * 6, meta=False),
    Case("CSR × dense", with_sparse(Tensor.to_sparse_csr, (10, 6)), 11 * 6, meta=False),
    Case("CSR × vector", with_sparse(Tensor.to_sparse_csr, (10,)), 11, meta=False),
    Case(
        "CSR × CSR",  # A·Aᵀ: a MAC for each pair of entries in one column; columns 0 and 9 hold two each
        with_sparse_square,
        2 * 2**2 + 7 * 1**2,
        meta=False,
    ),
    Case("sparse convolution, gather-GEMM", module(SparseConv, (6, 16)), (3 + 6 + 2) * 16 * 24),
    Case("devoxelize, weighted bag", weighted_bags, 5 * 8 * 12),
    Case("voxelize, index_add", voxel_means, 0),
    Case("temporal shift, slices", function(shift_by_slices, (2, 4, 8, 5, 5)), 0),
    # Backward: forward + gradient of the weights (+ gradient of the input where it needs one).
    Case(
        "conv 2d, backward",
        module(lambda: nn.Conv2d(3, 8, 3, bias=False), (2, 3, 10, 12)),
        2 * (2 * 80 * (8 * 3 * 9)),
        True,
    ),
    Case(
        "conv 2d, backward to the input",
        module(lambda: nn.Conv2d(3, 8, 3, bias=False), (2, 3, 10, 12), grad=True),
        3 * (2 * 80 * (8 * 3 * 9)),
        True,
    ),
    Case(
        "conv 2d, groups 4, backward",
        module(lambda: nn.Conv2d(16, 32, 3, padding=1, groups=4, bias=False), (2, 16, 8, 8), grad=True),
        3 * (2 * 64 * (32 * 4 * 9)),
        True,
    ),
    Case(
        "conv 2d, depthwise, backward",
        module(lambda: nn.Conv2d(16, 16, 5, padding=2, groups=16, bias=False), (2, 16, 8, 8), grad=True),
        3 * (2 * 64 * (16 * 25)),
        True,
    ),
    Case(
        "conv 3d, dilated, backward",
        module(lambda: nn.Conv3d(2, 4, 3, dilation=2, bias=False), (1, 2, 6, 7, 8), grad=True),
        3 * ((2 * 3 * 4) * (4 * 2 * 27)),
        True,
    ),
    Case(
        "conv transposed 2d, k4 s2, backward",
        module(lambda: nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1, bias=False), (2, 8, 6, 6), grad=True),
        3 * (2 * 36 * (8 * 4 * 16)),
        True,
    ),
    Case("linear, backward", module(lambda: nn.Linear(16, 24, bias=False), (5, 16)), 2 * (5 * 16 * 24), True),
    Case(
        "one layer called 3 times, backward",  # the first call needs no gradient of its input
        module(SharedLinear, (5, 16)),
        (3 + 3 + 2) * (5 * 16 * 16),
        True,
    ),
    Case(
        "LSTM, backward",  # x, h and c need gradients
        module(LSTMWithState, (5, 2, 6), (1, 2, 8), (1, 2, 8), grad=True),
        3 * (5 * 2 * (32 * 6 + 32 * 8)),
        True,
    ),
    Case(
        "GRU, backward",  # the initial state is constant: its gradient, one step of W_hh, is not made
        module(lambda: nn.GRU(6, 8, bias=False), (5, 2, 6), grad=True),
        3 * (5 * 2 * (24 * 6 + 24 * 8)) - 2 * 24 * 8,
        True,
    ),
    Case(
        "attention by hand, backward",  # two products forward, four back
        function(attention_by_hand, *[(2, 3, 8, 4)] * 3, grad=True),
        3 * (2 * 3 * 64 * (4 + 4)),
        True,
    ),
    Case(
        "attention, causal, fused backward",  # scores again, then four products: 3·d + 2·e
        function(causal_attention, *[(2, 3, 8, 4)] * 3, grad=True),
        2 * 3 * 36 * ((4 + 4) + (3 * 4 + 2 * 4)),
        True,
        meta=False,  # meta tensors take the unfused path, with 2·d + 2·e
    ),
    Case(
        "CSR × dense, backward",  # to the dense side: its transpose with the same entries
        with_sparse(Tensor.to_sparse_csr, (10, 6), grad=True),
        2 * (11 * 6),
        True,
        meta=False,
    ),
    Case(
        "sparse convolution, backward",
        module(SparseConv, (6, 16), grad=True),
        3 * ((3 + 6 + 2) * 16 * 24),
        True,
    ),
    Case(
        "checkpointed MLP, backward",  # the first layer runs again; the second need not: nothing reads its result
        module(Checkpointed, (5, 16), grad=True),
        (3 + 3 + 1) * (5 * 16 * 32),
        True,
    ),
    Case(
        "product in an autograd function, backward",
        function(lambda x, w: Opaque.apply(x, w), (5, 6), (6, 7), grad=True),
        3 * (5 * 6 * 7),
        True,
    ),
]
