"""Nothing is silently zero: what has no formula, and what no operator did, is named with its place."""

import threading

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import flop_registry, register_flop_formula

from efficientlab.counters import count
from efficientlab.counters.conventions import ZERO_BY_CONVENTION, State, state_of
from efficientlab.counters.formulas import MAC_FORMULAS

x = torch.randn(4, 8)


@torch.library.custom_op("counters_test::mystery", mutates_args=())
def mystery(x: torch.Tensor) -> torch.Tensor:
    return x @ x.t()


@torch.library.custom_op("counters_test::known", mutates_args=())
def known(x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    return x[rows] @ x[rows].t()


@register_flop_formula(torch.ops.counters_test.known, get_raw=True)
def _known_flops(x, rows, out_val=None):
    return 2 * len(rows.unique()) * x.shape[1]


def test_operator_without_a_formula_is_listed_with_module_and_line():
    class Head(nn.Module):
        def forward(self, x):
            return torch.ops.counters_test.mystery(x) + mystery(x)

    result = count(nn.Sequential(nn.Linear(8, 8), Head()), x)
    assert not result.complete
    (miss,) = result.not_counted
    assert (miss.op, miss.calls) == ("counters_test.mystery", 2)
    assert miss.site.startswith("1 (test_not_counted.py:")
    assert result.macs == 4 * 64
    assert "total (INCOMPLETE)" in str(result)
    assert "counters_test.mystery in 1 (test_not_counted.py:" in str(result)
    assert "INCOMPLETE" in result._repr_html_()


@pytest.mark.parametrize(
    ("fn", "op"),
    [
        (torch.linalg.svd, "aten._linalg_svd"),
        (torch.fft.fft, "aten._fft_r2c"),
        (torch.linalg.qr, "aten.linalg_qr"),
    ],
)
def test_algebra_that_is_not_multiply_accumulate_is_listed(fn, op):
    assert [miss.op for miss in count(fn, x).not_counted] == [op]


def test_registered_formula_sees_real_indices():
    result = count(lambda x: known(x, torch.tensor([0, 2, 2])), x)
    assert (result.macs, result.complete) == (2 * 8, True)


class ThroughNumpy(torch.autograd.Function):
    """Leaves torch in both directions."""

    @staticmethod
    def forward(ctx, x):
        return torch.from_numpy(np.tanh(x.detach().numpy()))

    @staticmethod
    def backward(ctx, grad):
        return torch.from_numpy(2 * grad.numpy())


class InTorch(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.tanh()

    @staticmethod
    def backward(ctx, grad):
        return 2 * grad


def unseen(fn, *inputs, backward=False):
    return [miss.op for miss in count(fn, *inputs, backward=backward).not_counted]


def test_data_from_outside_of_operators_is_reported():
    assert unseen(InTorch.apply, x.clone().requires_grad_(), backward=True) == []
    assert unseen(ThroughNumpy.apply, x) == ["data made outside of torch's operators"]
    assert unseen(lambda x: ThroughNumpy.apply(x) + 1, x) == ["data made outside of torch's operators"]
    (found,) = unseen(lambda x: x + torch.from_numpy(np.tanh(x.numpy())), x)
    assert found == "data made outside of torch's operators"


def test_gradient_from_outside_of_operators_is_reported():
    class BackwardOnly(ThroughNumpy):
        @staticmethod
        def forward(ctx, x):
            return x.tanh()

    leaf = x.clone().requires_grad_()
    assert unseen(BackwardOnly.apply, leaf, backward=True) == ["data made outside of torch's operators"]
    deeper = unseen(lambda x: BackwardOnly.apply(x * 2), leaf, backward=True)
    assert deeper == ["data made outside of torch's operators"]


def test_uninitialised_memory_that_is_read_was_filled_by_someone_unseen():
    def raw_kernel(x):
        y = torch.empty_like(x)
        y.numpy()[:] = 1
        return y

    assert len(unseen(raw_kernel, x)) == len(unseen(lambda x: raw_kernel(x) + 1, x)) == 1
    assert "raw Triton, CUDA or NumPy" in unseen(raw_kernel, x)[0]
    assert (
        unseen(lambda x: torch.empty_like(x).copy_(x) + torch.empty(4, 8).zero_() + torch.empty(0).sum(), x)
        == []
    )


E, ALL = torch.empty, torch.arange(3)


@pytest.mark.parametrize(
    "fill",
    [
        lambda: torch.zeros_like(E(3)) + torch.rand_like(E(3)) + E(3).new_ones(3),
        lambda: [getattr(E(3), draw)() for draw in ("log_normal_", "cauchy_", "exponential_", "random_")],
        lambda: E(3).geometric_(0.3),
        lambda: torch._foreach_zero_(zeroed := [E(3), E(4)]) or zeroed,
        lambda: torch._foreach_copy_(copied := [E(3)], [torch.ones(3)]) or copied,
        lambda: E(3).index_fill_(0, ALL, 2.0) + E(3).masked_fill_(ALL >= 0, 1.0),
        lambda: E(3).put_(ALL, torch.ones(3)) + E(3).index_copy_(0, ALL, torch.ones(3)),
        lambda: torch.vmap(lambda z: torch.dropout(z, 0.5, True), randomness="different")(x),
    ],
)
def test_whatever_fills_uninitialised_memory_or_asks_for_its_shape_alone_is_no_miss(fill):
    assert unseen(fill) == []


def test_indices_from_numpy_hide_no_macs():
    def sorted_rows(x):
        order = torch.from_numpy(np.argsort(x[:, 0].numpy()))
        filled = torch.empty(4, dtype=torch.int64)
        filled.numpy()[:] = 1
        return x[order] + x[filled]

    assert unseen(sorted_rows, x) == []


def test_constants_are_not_mistaken_for_unseen_work():
    constant, table = torch.randn(8, 3), np.arange(8, dtype=np.float32)
    wrapped = torch.from_numpy(table)

    class Holder(nn.Module):
        def __init__(self):
            super().__init__()
            self.plain = torch.randn(8)

        def forward(self, x):
            return (x * self.plain + wrapped + torch.tensor([1.0] * 8) + 2.0) @ constant

    assert unseen(Holder(), x) == []


def test_arrays_that_a_model_holds_or_is_given_are_no_unseen_work():
    class Holds(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = np.ones((2, 8), np.float32)

        def forward(self, given, x):
            return x * torch.from_numpy(self.table[1:, ::2]).repeat(1, 2) + torch.from_numpy(given["scale"])

    given = {"scale": np.full(8, 2.0, np.float32)}
    assert unseen(Holds(), given, x) == []
    assert unseen(lambda given, x: x @ torch.from_numpy(np.exp(given["scale"])), given, x) == [
        "data made outside of torch's operators"
    ]


def in_a_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


class WritesInAThread(nn.Module):
    """Fills its own buffer, its input, or a tensor that it just made or just zeroed, while another thread works."""

    def __init__(self, target):
        super().__init__()
        self.target = target
        self.linear = nn.Linear(8, 4)
        self.register_buffer("result", torch.zeros(4, 4))

    def forward(self, x):
        out = {
            "buffer": self.result, "input": x[:, :4], "new": torch.zeros(4, 4), "zeroed": self.result.zero_()
        }[self.target]  # fmt: skip
        in_a_thread(torch.no_grad()(lambda: out.copy_(self.linear(x))))
        return out + 1


@pytest.mark.parametrize("target", ["buffer", "input", "new", "zeroed"])
def test_what_another_thread_writes_into_existing_memory_is_listed(target):
    with torch.no_grad():
        result = count(WritesInAThread(target), x)
    assert not result.complete
    assert {miss.op for miss in result.not_counted} == {
        "a write into an existing tensor by no operator of this thread"
    }


def test_a_threads_write_that_nobody_reads_is_listed_as_well():
    table = torch.zeros(4, 3)

    def model(x):
        in_a_thread(lambda: torch.mm(x, torch.ones(8, 3), out=table))
        return x * 2, table.shape

    assert unseen(model, x) == ["a write into an existing tensor by no operator of this thread"]


def test_writes_in_place_that_were_seen_are_no_misses():
    module = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(inplace=True))
    buffer = torch.zeros(4, 8)

    def model(x):
        y = module(x)
        buffer.copy_(y.detach())
        buffer[1:].add_(1)
        buffer.t()[2].zero_()
        torch._foreach_mul_([buffer, buffer[0]], 2.0)
        torch.add(buffer, 1, out=buffer)
        buffer.data.mul_(2)
        buffer.numpy()[0] = 3
        return y + buffer

    assert unseen(model, x.clone().requires_grad_(), backward=True) == []


class Constants(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x):
        return self.linear(x) * torch.ones(8) + torch.arange(8.0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "form", ["traced", "scripted", "frozen", "frozen trace", "traced function", "in a function"]
)
def test_constants_of_scripted_code_hide_no_macs(form):
    layer = Constants().eval()
    make = {
        "traced": lambda: torch.jit.trace(layer, x),
        "scripted": lambda: torch.jit.script(layer),
        "frozen": lambda: torch.jit.freeze(torch.jit.script(layer)),
        "frozen trace": lambda: torch.jit.freeze(torch.jit.trace(layer, x)),
        "traced function": lambda: torch.jit.trace(lambda x: (x @ torch.ones(8, 8)) * torch.ones(8), x),
        "in a function": lambda: torch.jit.freeze(torch.jit.script(layer)),
    }[form]
    model = make()
    result = count((lambda x: model(x)) if form == "in a function" else model, x)
    assert (result.macs, result.not_counted) == (4 * 8 * 8, ())


@torch.library.custom_op("counters_test::forgetful", mutates_args=())
def forgetful(x: torch.Tensor) -> torch.Tensor:
    return x.clone()


@register_flop_formula(torch.ops.counters_test.forgetful, get_raw=True)
def _forgetful_flops(x, out_val=None):
    return 2 * x.shape[7]


def test_an_operator_whose_formula_fails_is_listed():
    result = count(lambda x: forgetful(x) @ x.t(), x)
    assert [miss.op for miss in result.not_counted] == ["counters_test.forgetful"]
    assert result.macs == 4 * 8 * 4


def test_no_operator_is_both_zero_and_counted():
    listed = {name for names in ZERO_BY_CONVENTION.values() for name in names.split()}
    counted = {packet.__name__ for packet in {*MAC_FORMULAS, *flop_registry} if hasattr(packet, "overloads")}
    assert listed & counted == set()
    assert len(listed) == sum(len(names.split()) for names in ZERO_BY_CONVENTION.values()), "listed twice"


@pytest.mark.parametrize(
    ("op", "state"),
    [
        (torch.ops.aten.relu_.default, State.ZERO),
        (torch.ops.aten.native_batch_norm.default, State.ZERO),
        (torch.ops.aten.view.default, State.ZERO),
        (torch.ops.aten._foreach_add_.List, State.ZERO),
        (torch.ops.aten.linear.default, State.COMPOSITE),
        (torch.ops.aten._linalg_svd.default, State.UNKNOWN),
        (torch.ops.aten._trilinear.default, State.UNKNOWN),
        (torch.ops.prims.mul.default, State.ZERO),
        (torch.ops.prims.svd.default, State.UNKNOWN),
        (torch.ops.counters_test.mystery.default, State.UNKNOWN),
    ],
    ids=str,
)
def test_three_states(op, state):
    assert state_of(op) is state


IMAGE, SEQUENCE, VOLUME = (2, 4, 8, 8), (2, 4, 12), (2, 4, 6, 6, 6)
COMMON = {
    IMAGE: [
        nn.BatchNorm2d(4), nn.InstanceNorm2d(4, affine=True), nn.GroupNorm(2, 4), nn.LayerNorm(8), nn.RMSNorm(8),
        nn.LocalResponseNorm(2), nn.ReLU6(), nn.PReLU(), nn.GELU(), nn.SiLU(), nn.Hardswish(), nn.Mish(), nn.ELU(),
        nn.GLU(1), nn.Softmax(1), nn.LogSoftmax(1), nn.Softplus(), nn.Hardtanh(), nn.LeakyReLU(), nn.Dropout2d(),
        nn.MaxPool2d(2), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(3), nn.AdaptiveMaxPool2d(3), nn.LPPool2d(2, 2),
        nn.PixelShuffle(2), nn.PixelUnshuffle(2), nn.ChannelShuffle(2), nn.ReflectionPad2d(1), nn.ReplicationPad2d(1),
        nn.ZeroPad2d(1), nn.CircularPad2d(1), nn.Upsample(scale_factor=2), nn.Unfold(3), nn.Flatten(),
        nn.Upsample(scale_factor=2, mode="bilinear"), nn.Upsample(scale_factor=2, mode="bicubic"),
    ],
    SEQUENCE: [
        nn.BatchNorm1d(4), nn.MaxPool1d(2), nn.AvgPool1d(2), nn.AdaptiveAvgPool1d(3), nn.ConstantPad1d(1, 2.0),
        nn.RNN(12, 5), nn.LSTM(12, 5), nn.GRU(12, 5), nn.AlphaDropout(), nn.CosineSimilarity(1),
    ],
    VOLUME: [nn.BatchNorm3d(4), nn.MaxPool3d(2), nn.AvgPool3d(2), nn.AdaptiveAvgPool3d(2), nn.ReplicationPad3d(1)],
}  # fmt: skip
LOSSES = [
    nn.MSELoss(), nn.L1Loss(), nn.SmoothL1Loss(), nn.HuberLoss(), nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss(),
    nn.KLDivLoss(reduction="batchmean"), nn.CosineSimilarity(), nn.SoftMarginLoss(), nn.PoissonNLLLoss(),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_common_layers_and_losses_are_complete():
    """Forward and backward of what networks are made of: every operator is either counted or zero on purpose."""
    for shape, layers in COMMON.items():
        for layer in layers:
            inputs = [torch.randn(shape, requires_grad=True)] * (1 + isinstance(layer, nn.CosineSimilarity))
            assert unseen(layer, *inputs, backward=True) == [], layer
    a, b = torch.randn(4, 8, requires_grad=True), torch.rand(4, 8)
    for loss in LOSSES:
        assert unseen(loss, a, b, backward=True) == [], loss


def test_a_training_step_is_complete():
    model = nn.Linear(8, 3)
    for make in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop):
        optimiser = make(model.parameters(), lr=0.0)

        def step(x, optimiser=optimiser):
            with torch.enable_grad():
                model(x).square().mean().backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()

        result = count(step, x)
        assert result.not_counted == (), make
        assert (result.macs_forward, result.macs_backward) == (4 * 24, 4 * 24)


@pytest.mark.filterwarnings("ignore")
def test_training_for_quantisation_is_complete():
    model = nn.Sequential(nn.Linear(8, 3))
    model.qconfig = torch.ao.quantization.get_default_qat_qconfig("fbgemm")
    model = torch.ao.quantization.prepare_qat(model.train())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    result = count(model, x, backward=True)
    assert (result.macs, result.not_counted) == (2 * 4 * 24, ())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
