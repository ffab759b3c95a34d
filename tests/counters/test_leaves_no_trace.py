"""Measuring changes nothing, and bad input gets one clear sentence."""

import threading

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.functional import scaled_dot_product_attention
from torch.nn.modules import module as hooks
from torch.testing._internal.logging_tensor import LoggingTensorMode
from torch.utils import _python_dispatch
from torch.utils._python_dispatch import _get_current_dispatch_mode
from torch.utils.checkpoint import checkpoint

from efficientlab.counters import count, latency, measure
from efficientlab.counters.memory import is_frozen


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.ReLU(inplace=True), nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))


class Fails(nn.Module):
    """Fails in its second half, below a few modules and in the middle of causal attention's wrapper."""

    def __init__(self):
        super().__init__()
        self.body = network()

    def forward(self, x):
        self.body(x)
        return F.scaled_dot_product_attention(x, x, x[:3], is_causal=True)


@pytest.fixture
def untouched():
    """Everything global that a count touches, before and after."""

    def state():
        return (
            F.scaled_dot_product_attention, dict(hooks._global_forward_hooks),
            dict(hooks._global_forward_pre_hooks), _get_current_dispatch_mode(), torch.is_grad_enabled(),
            is_frozen(), torch.compiler.is_compiling(), nn.MultiheadAttention.forward,
            nn.TransformerEncoderLayer.forward, torch._C._len_torch_dispatch_stack(),
            {name: value for name, value in vars(_python_dispatch).items() if name.startswith("_is_in_")},
        )  # fmt: skip

    before = state()
    yield
    assert state() == before


@pytest.mark.parametrize("backward", [False, True])
def test_model_inputs_and_random_state_stay(untouched, backward):
    model, x = network(), torch.randn(4, 8, requires_grad=True)
    model[1].weight.grad = torch.ones(8, 8)
    states = {name: value.clone() for name, value in model.state_dict().items()}
    values, random = x.detach().clone(), torch.get_rng_state()
    measure(nn.Sequential(nn.Identity(), model), x * 1.0 if backward else x, backward=backward)
    assert all(torch.equal(states[name], value) for name, value in model.state_dict().items())
    assert torch.equal(model[1].weight.grad, torch.ones(8, 8))
    assert model[1].bias.grad is None
    assert x.grad is None
    assert torch.equal(x, values)
    assert torch.equal(torch.get_rng_state(), random)
    assert model.training


def test_a_failure_restores_everything(untouched):
    model = Fails()
    states = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(RuntimeError):
        count(model, torch.randn(4, 8))
    assert all(torch.equal(states[name], value) for name, value in model.state_dict().items())
    assert count(network(), torch.randn(4, 8)).macs == 4 * 64  # the next count is right


class Wrapper(torch.Tensor):
    """A tensor subclass that computes on a tensor inside of it; `calls_itself` never ends."""

    @staticmethod
    def __new__(cls, inner, calls_itself=False):
        self = torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype)
        self.inner, self.calls_itself = inner, calls_itself
        return self

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        if any(isinstance(x, Wrapper) and x.calls_itself for x in args):
            return func(*args, **(kwargs or {}))
        args = [x.inner if isinstance(x, Wrapper) else x for x in args]
        return Wrapper(func(*args, **(kwargs or {})))


def test_tensor_subclasses_count_what_they_compute(untouched):
    x = torch.randn(4, 8)
    result = count(lambda x: x @ torch.ones(8, 3), Wrapper(x))
    assert (result.macs, result.not_counted) == (4 * 8 * 3, ())
    with FakeTensorMode() as mode:
        result = count(nn.Linear(8, 3), torch.randn(4, 8))
    assert (result.macs, result.not_counted) == (4 * 8 * 3, ())
    assert mode is not None


def calls_itself(x):
    return calls_itself(x.relu())


def enters_a_mode_for_good(x):
    LoggingTensorMode().__enter__()
    return x.relu() @ x.reshape(-1)[:7]


@pytest.mark.parametrize(
    ("fn", "x"),
    [
        (torch.relu, Wrapper(torch.ones(3), True)),
        (calls_itself, torch.ones(3)),
        (enters_a_mode_for_good, torch.ones(3, 8)),
    ],
    ids=["subclass", "function", "mode"],
)  # fmt: skip
def test_the_counter_is_gone_whatever_fails(untouched, fn, x):
    with pytest.raises((RecursionError, RuntimeError)):
        count(fn, x)
    assert measure(nn.Linear(8, 4), torch.ones(2, 8)).latency is not None


def test_modules_that_a_function_calls_are_restored_too(untouched):
    model = network()
    mean = model[2].running_mean.clone()
    count(lambda x: model(x), torch.randn(4, 8))
    assert torch.equal(model[2].running_mean, mean)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_surrounding_grad_mode_does_not_matter(untouched, context):
    model = nn.Linear(8, 4)
    with context():
        assert count(model, torch.randn(2, 8), backward=True).macs == 2 * 64
        assert count(model, torch.randn(2, 8)).macs == 64


@pytest.mark.parametrize(
    ("model", "shape"),
    [(nn.Conv2d(3, 4, 1), (0, 3, 8, 8)), (nn.Linear(8, 4), (2, 0, 8)), (nn.GRU(8, 4), (3, 0, 8))],
)
def test_zero_size_tensors(untouched, model, shape):
    result = count(model, torch.zeros(shape), backward=True)
    assert (result.macs, result.intensity, result.complete) == (0, 0, True)
    assert "0 MACs" in str(result)


def test_nested_inputs_and_outputs():
    def model(pair, options):
        a, b = pair
        return {"sum": a @ b, "rest": [options["c"] * 2]}

    inputs = [torch.randn(2, 3, requires_grad=True), torch.randn(3, 4)], {"c": torch.randn(5), "d": "text"}
    assert count(model, *inputs, backward=True).macs == 2 * (2 * 3 * 4)


def test_one_tensor_passed_twice_stays_one():
    x = torch.randn(2, 6, 16)
    attention = nn.MultiheadAttention(16, 4, batch_first=True).eval()
    ops = [op.name for op in count(attention, x, x, x).ops]
    assert "aten._native_multi_head_attention" in ops  # the fast path asks whether query is key


def sentence(error, *args, match, **kwargs):
    with pytest.raises(error, match=match) as caught:
        count(*args, **kwargs)
    assert "\n" not in str(caught.value)


def test_bad_models(untouched):
    sentence(TypeError, nn.Linear, torch.ones(2, 8), match=r"Linear is a class.*pass Linear\(\.\.\.\)")
    sentence(TypeError, "resnet", torch.ones(2, 8), match="module or a function, got str")


def test_bad_devices(untouched):
    sentence(
        ValueError,
        nn.Linear(8, 4, device="meta"),
        torch.ones(2, 8),
        match="model is on meta, an input on cpu",
    )
    sentence(ValueError, nn.Linear(8, 4), torch.ones(2, 8, device="meta"), match="move them to one device")
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):  # other errors pass as they are
        count(nn.Linear(8, 4), torch.ones(2, 7))


def test_nothing_to_differentiate(untouched):
    frozen = nn.Linear(8, 4).requires_grad_(False)
    sentence(
        ValueError, frozen, torch.ones(2, 8), backward=True, match="no output of the model requires a grad"
    )
    sentence(ValueError, lambda x: x.argmax(), torch.ones(2, 8), backward=True, match="requires a gradient")


def test_reentrant_checkpoint(untouched):
    layer = nn.Linear(8, 8)
    x = torch.ones(2, 8, requires_grad=True)
    model = lambda x: checkpoint(layer, x, use_reentrant=True)  # noqa: E731
    sentence(ValueError, model, x, backward=True, match="pass use_reentrant=False")


def test_measure_on_meta_has_no_time():
    with torch.device("meta"):
        result = measure(nn.Linear(8, 4), torch.ones(2, 8))
    assert result.latency is None
    assert result.macs == 64


def test_measuring_inside_a_counter_counts_but_refuses_to_time():
    from torch.utils.flop_counter import FlopCounterMode

    model, x = nn.Linear(8, 4), torch.ones(2, 8)
    with FlopCounterMode(display=False):
        assert count(model, x).macs == 64
        with pytest.raises(RuntimeError, match=r"refusing to time inside _?FlopCounterMode"):
            latency(model, x)


def test_threads_that_count_take_turns(untouched):
    macs = []

    def several():
        for _ in range(4):
            model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 4))
            macs.append(count(model, torch.zeros(2, 8)).macs)

    threads = [threading.Thread(target=several) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert macs == [96] * 12


def test_what_another_thread_runs_is_not_counted(untouched):
    other, stop = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 64)), threading.Event()

    def work():
        while not stop.is_set():
            other(torch.zeros(2, 64))
            F.scaled_dot_product_attention(*torch.zeros(3, 1, 4, 8), is_causal=True)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(10):
            result = count(nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 4)), torch.zeros(2, 8))
            assert result.macs == 96
            assert [(row.name, row.macs) for row in result.rows] == [("", 96), ("0", 64), ("1", 32)]
    finally:
        stop.set()
        thread.join()


def test_a_generator_has_computed_nothing_yet(untouched):
    layer = nn.Linear(8, 4)

    def stream(x):
        yield layer(x)

    async def later(x):
        return layer(x)

    lazy = [
        (stream, "generator"),
        (later, "coroutine"),
        (lambda x: map(layer, [x]), "map"),
        (lambda x: zip("a", map(layer, [x]), strict=True), "map"),
        (lambda x: {"out": [filter(layer, [x])]}, "filter"),
    ]
    for model, kind in lazy:
        with pytest.raises(TypeError, match=f"returned a {kind}, which has computed nothing yet"):
            count(model, torch.zeros(2, 8))
    assert count(lambda x: list(stream(x)), torch.zeros(2, 8)).macs == 64
    assert count(lambda x: zip("a", [layer(x)], strict=True), torch.zeros(2, 8)).macs == 64


def test_a_budget_is_seconds(untouched):
    for budget in (-1, float("nan")):
        with pytest.raises(ValueError, match="budget must be seconds"):
            latency(lambda: None, budget=budget)


def test_attention_that_a_file_imported_by_name(untouched):
    """With dropout a CPU multiplies all pairs; the mask leaves 1 + 2 + … + 16 of 256."""

    class Attends(nn.Module):
        def forward(self, q):
            return scaled_dot_product_attention(q, q, q, dropout_p=0.1, is_causal=True)

    class Keeps(Attends):
        def __init__(self):
            super().__init__()
            self.attend = scaled_dot_product_attention

        def forward(self, q):
            return self.attend(q, q, q, dropout_p=0.1, is_causal=True)

    q, keeps = torch.zeros(2, 8, 16, 32), Keeps()
    for model in (
        Attends(),
        keeps,
        nn.Sequential(Attends()),
        lambda q: scaled_dot_product_attention(q, q, q, is_causal=True),
    ):
        assert count(model, q).macs == 2 * 8 * 136 * 64
    assert scaled_dot_product_attention is F.scaled_dot_product_attention is keeps.attend
