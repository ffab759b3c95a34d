"""The model is left as it was, whatever its forward changes; so are the inputs and all random states."""

import copy
import functools
import gc
import random
from array import array
from collections import UserDict, deque
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import nn

from efficientlab.counters import count, measure

x = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))


class MovingAverage(nn.Module):
    """A teacher that follows its student in every forward, by one of the forms in which this is written."""

    def __init__(self, form):
        super().__init__()
        self.student, self.teacher, self.form = nn.Linear(8, 8), nn.Linear(8, 8), form

    def forward(self, x):
        with torch.no_grad():
            for new, old in zip(self.student.parameters(), self.teacher.parameters(), strict=True):
                if self.form == "in place":
                    old.mul_(0.5).add_(new, alpha=0.5)
                elif self.form == "data in place":
                    old.data.lerp_(new.data, 0.5)
                elif self.form == "data assigned":
                    old.data = 0.5 * old.data + 0.5 * new.data
                else:
                    old.numpy()[:] = 0.5 * old.numpy() + 0.5 * new.numpy()
            if self.form == "parameter assigned":
                self.teacher.weight = nn.Parameter(self.student.weight.clone())
        return self.student(x) - self.teacher(x)


class RotaryTable(nn.Module):
    """Registers one buffer, fills another, and keeps a third as a plain attribute; all for this length alone."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mask", None)
        self.table = None

    def forward(self, x):
        if self.mask is None:
            self.register_buffer("cosines", torch.arange(len(x)).cos())
            self.mask = torch.ones(len(x), 1)
            self.table = torch.ones(len(x), 8)
        return x * self.cosines[:, None] * self.mask * self.table


@dataclass
class Cache:
    keys: list = field(default_factory=list)
    tokens: int = 0


class Slotted:
    __slots__ = ("last",)

    def __init__(self):
        self.last = None


class Caches(nn.Module):
    """Every call sees what the calls before left in attributes of many kinds."""

    def __init__(self):
        super().__init__()
        self.items, self.by_name, self.recent, self.seen = [], {"layer": []}, deque(maxlen=9), set()
        self.cache, self.slotted, self.steps, self.array = Cache(), Slotted(), 0, np.zeros(3)
        self.tensor = torch.zeros(2, 8)
        self.generator, self.rng = torch.Generator().manual_seed(3), np.random.default_rng(3)

    def forward(self, x):
        self.steps += 1
        self.array[0] += 1
        self.tensor.add_(1)
        self.items.append(x)
        self.by_name["layer"].append(x)
        self.by_name[self.steps] = x
        self.recent.append(x)
        self.seen.add(self.steps)
        self.cache.keys.append(x)
        self.cache.tokens += len(x)
        self.slotted.last = x
        self.extra = x
        torch.randn(1, generator=self.generator)
        self.rng.normal()
        self.train(not self.training)
        return torch.cat(self.items) @ x.t()

    def summary(self):
        return (
            self.steps, self.array.tolist(), self.tensor.tolist(), len(self.items),
            {name: len(items) for name, items in self.by_name.items()}, len(self.recent), self.seen,
            len(self.cache.keys), self.cache.tokens, self.slotted.last, hasattr(self, "extra"), self.training,
            self.generator.get_state().tolist(), str(self.rng.bit_generator.state),
        )  # fmt: skip


def state_of(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def assert_same(model, before):
    after = model.state_dict()
    assert list(after) == list(before)
    for name, value in before.items():
        assert torch.equal(after[name], value), name


FORMS = ["in place", "data in place", "data assigned", "numpy", "parameter assigned"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("how", [count, measure], ids=["count", "measure"])
def test_parameters_that_forward_updates(form, how):
    model = MovingAverage(form)
    before, parameters = state_of(model), list(model.parameters())
    address = model.teacher.weight.data_ptr()
    how(model, x)
    how(lambda x: model(x), x)
    assert_same(model, before)
    assert all(a is b for a, b in zip(model.parameters(), parameters, strict=True))
    assert model.teacher.weight.data_ptr() == address


def test_buffers_that_forward_registers_or_fills():
    model, fresh = RotaryTable(), RotaryTable()
    count(model, x)
    assert list(model.state_dict()) == []
    assert model.table is None
    fresh.load_state_dict(model.state_dict(), strict=True)
    assert model(torch.randn(6, 8)).shape == (6, 8)  # another length


def test_attributes():
    model = Caches()
    before = model.summary()
    first = count(model, x)
    assert count(model, x).macs == first.macs == 4 * 8 * 4
    measure(model, x)
    assert model.summary() == before


def test_lazy_modules_stay_lazy():
    model = nn.Sequential(nn.LazyLinear(5), nn.LazyBatchNorm1d(), nn.LazyLinear(3))
    result = measure(model, x)
    assert (result.macs, result.params) == (4 * (8 * 5 + 5 * 3), 45 + 10 + 18)
    assert [type(m) for m in model] == [nn.LazyLinear, nn.LazyBatchNorm1d, nn.LazyLinear]
    assert all(m.has_uninitialized_params() for m in model)
    torch.manual_seed(0)
    model(100 + x)  # initialised now, by other inputs, as if nothing had been counted
    torch.manual_seed(0)
    untouched = nn.Sequential(nn.LazyLinear(5), nn.LazyBatchNorm1d(), nn.LazyLinear(3))
    untouched(100 + x)
    assert_same(model, state_of(untouched))
    assert type(model[0]) is nn.Linear


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(8, 4)
        self.norm = nn.BatchNorm1d(4, affine=False)
        self.outer = nn.Linear(4, 8)
        self.scale = nn.Parameter(torch.ones(4))
        self.register_buffer("calls", torch.zeros(()))

    def encode(self, x, power=1):
        self.calls += power
        return self.norm(self.inner(x)) * self.scale


@pytest.mark.parametrize(
    "form", ["method", "partial", "keywords", "lambda", "function of a function", "partial of a lambda"]
)
def test_bound_methods_belong_to_their_owner(form):
    model = Autoencoder()
    before = state_of(model)
    encode = lambda x: model.encode(x)  # noqa: E731
    call = {
        "method": model.encode,
        "partial": functools.partial(model.encode, power=2),
        "keywords": functools.partial(model.encode),
        "lambda": lambda x: model.encode(x),
        "function of a function": lambda x: encode(x),
        "partial of a lambda": functools.partial(lambda m, x: m.encode(x), model),
    }[form]
    result = count(call, x)
    assert_same(model, before)
    assert result.macs == 4 * 8 * 4
    if form in {"method", "partial", "keywords"}:
        assert result.params == 36 + 40 + 4
        assert [row.name for row in result.rows] == ["", "inner", "norm"]
        assert result[""].calls == 1


def test_a_counted_training_step_is_no_step():
    model = nn.Linear(8, 3)
    optimiser = torch.optim.Adam(model.parameters())
    model(x).sum().backward()
    optimiser.step()
    before, gradient = state_of(model), model.weight.grad.clone()
    moments = copy.deepcopy(optimiser.state_dict())

    def step(x):
        with torch.enable_grad():
            optimiser.zero_grad()
            model(x).square().mean().backward()
        optimiser.step()

    assert count(step, x).macs == 2 * 4 * 24
    assert_same(model, before)
    assert torch.equal(model.weight.grad, gradient)
    assert str(optimiser.state_dict()) == str(moments)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted_buffers():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))
            self.register_buffer("last", torch.zeros(8))

        def forward(self, x):
            self.calls += 1
            self.last = x[0]
            return x * self.calls

    model = torch.jit.script(Counting())
    before = state_of(model)
    count(model, x)
    assert_same(model, before)


@dataclass
class Batch:
    image: torch.Tensor
    notes: dict


class Slots:
    __slots__ = ("image",)

    def __init__(self, image):
        self.image = image


@pytest.mark.parametrize(
    "wrap",
    [
        lambda t: Batch(t, {}),
        lambda t: UserDict(image=t),
        lambda t: {"image": [t]},
        Slots,
        lambda t: [t],
        lambda t: t,
    ],
    ids=["dataclass", "UserDict", "nested", "slots", "list", "tensor"],
)
def test_inputs_of_any_class_are_copied(wrap):
    image = x.clone()
    batch = wrap(image)

    def in_place(batch):
        if isinstance(batch, Batch):
            batch.notes["seen"] = True
        inner = batch if isinstance(batch, torch.Tensor | list) else getattr(batch, "image", None)
        inner = batch["image"] if inner is None else inner
        inner = inner[0] if isinstance(inner, list) else inner
        inner.mul_(0)
        return inner @ inner.t()

    assert count(in_place, batch).macs == 4 * 8 * 4
    assert torch.equal(image, x)
    assert not isinstance(batch, Batch) or batch.notes == {}


def test_inputs_that_no_copy_can_be_made_of():
    import threading

    model, generator = nn.BatchNorm1d(8), torch.Generator().manual_seed(1)
    before, random_state = state_of(model), generator.get_state()

    def draws(model, generator, lock, x):
        with lock:
            return model(x + torch.randn(8, generator=generator))

    count(draws, model, generator, threading.Lock(), x)
    assert_same(model, before)
    assert torch.equal(generator.get_state(), random_state)


def test_outputs_of_any_class_can_be_differentiated():
    model = nn.Linear(8, 3)
    result = count(lambda x: Batch(model(x), {}), x, backward=True)
    assert result.macs == 2 * 4 * 24


def test_random_states_of_python_and_numpy():
    def draws(x=1.0):
        return x * random.random() * np.random.rand() * torch.rand(())  # noqa: NPY002

    def seed():
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        torch.manual_seed(1)

    seed()
    expected = draws()
    seed()
    measure(draws, x)
    assert draws() == expected


def test_everything_is_put_back_after_a_failure():
    class Fails(MovingAverage):
        def forward(self, x):
            super().forward(x)
            self.extra = x
            raise ArithmeticError

    model = Fails("in place")
    before = state_of(model)
    with pytest.raises(ArithmeticError):
        count(model, x)
    assert_same(model, before)
    assert not hasattr(model, "extra")


def test_what_did_not_change_is_not_written_to():
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8).eval())
    pending = model(x.requires_grad_()).sum()
    count(model, x)
    pending.backward()  # refuses where a saved parameter's version has moved
    x.requires_grad_(False)
    x.grad = None


@pytest.mark.slow
def test_no_copy_outlives_the_count():
    model = nn.Linear(8, 1237)
    gc.collect()
    gc.disable()  # what only the collector frees is kept until it runs
    try:
        count(model, x)
        shapes = [tuple(o.shape) for o in gc.get_objects() if type(o) in (torch.Tensor, nn.Parameter)]
    finally:
        gc.enable()
    assert shapes.count((1237, 8)) == 1


def test_state_that_is_no_dense_tensor():
    """A sparse buffer gets other values in place, not others in the same memory."""

    class Holds(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("graph", torch.eye(3).to_sparse())
            self.objects = np.array([torch.zeros(2), None], dtype=object)
            self.bytes, self.numbers = bytearray(b"ab"), array("i", [1])

        def forward(self, x):
            self.graph.mul_(2).add_(torch.ones(3, 3).to_sparse())
            self.objects[0].add_(1)
            self.bytes.append(3)
            self.numbers.append(3)
            return x + self.objects[0].sum() + torch.sparse.sum(self.graph)

    model = Holds()
    count(model, x)
    assert torch.equal(model.graph.to_dense(), torch.eye(3))
    assert model.objects[0].tolist() == [0, 0]
    assert (bytes(model.bytes), model.numbers.tolist()) == (b"ab", [1])


def test_a_generator_that_a_function_names_is_put_back():
    drawing = torch.Generator().manual_seed(3)
    before = drawing.get_state()
    count(lambda x: x + torch.rand(x.shape, generator=drawing), x)
    assert torch.equal(drawing.get_state(), before)


def test_what_trains_a_model_is_put_back():
    model = nn.Linear(8, 3)
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, 1, 0.5)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser)
    scaler = torch.amp.GradScaler("cpu", growth_interval=1)

    def step(x):
        with torch.enable_grad():
            loss = model(x).square().mean()
            scaler.scale(loss).backward()
        scaler.step(optimiser)
        scaler.update()
        schedule.step()
        plateau.step(loss)

    def state():
        parts = (optimiser, schedule, plateau, scaler)
        return copy.deepcopy([part.state_dict() for part in parts])

    before = state()
    count(step, x)
    assert state() == before


def test_hooks_and_attributes_of_tensors():
    class Hooks(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(8, 8)
            self.linear.bias.register_hook(lambda gradient: gradient)

        def forward(self, x):
            for p in self.linear.parameters():
                p.register_hook(lambda gradient: gradient)
                p.register_post_accumulate_grad_hook(lambda p: None)
                p.tag = x
            self.linear.register_forward_hook(lambda module, inputs, output: None)
            return self.linear(x)

    model = Hooks()
    measure(model, x, backward=True)
    weight, bias = model.linear.weight, model.linear.bias
    assert (weight._backward_hooks, len(bias._backward_hooks)) == (None, 1)
    assert weight._post_accumulate_grad_hooks is bias._post_accumulate_grad_hooks is None
    assert not model.linear._forward_hooks
    assert not hasattr(weight, "tag")
    model(x).sum().backward()
    assert weight.grad is not None


def test_what_a_function_keeps_for_itself():
    def keeps(x, cache={}, *, more=[]):  # noqa: B006
        cache[len(cache)] = x
        more.append(x)
        keeps.calls = getattr(keeps, "calls", 0) + 1
        return sum(entry @ entry.t() for entry in cache.values())

    assert count(keeps, x).macs == count(keeps, x).macs == 4 * 8 * 4
    assert (keeps.__defaults__, keeps.__kwdefaults__) == (({},), {"more": []})
    assert not hasattr(keeps, "calls")


def test_distributions_are_looked_into():
    model = nn.Linear(8, 3)

    def posterior(prior, x):
        return torch.distributions.Normal(model(x) + prior.loc, prior.scale)

    prior = torch.distributions.Normal(torch.zeros(3, requires_grad=True) + 1, torch.ones(3))
    assert count(posterior, prior, x, backward=True).macs == 2 * 4 * 24


def test_what_is_attached_to_an_input_comes_with_its_copy():
    image = x.clone()
    image.mask = torch.ones(8)

    def masked(image):
        image.mul_(image.mask.mul_(0))
        return image @ image.t()

    for given in (image, [image]):
        assert count(lambda a: masked(a if isinstance(a, torch.Tensor) else a[0]), given).macs == 4 * 8 * 4
    assert image.mask.tolist() == [1] * 8
    assert torch.equal(image, x)
