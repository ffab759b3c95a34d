"""What checks draw their cases with, and what their drivers read them by and guard themselves with."""

from __future__ import annotations

import contextlib
import random
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from efficientlab.exercises.contract import AnswerError, Value, Values
from efficientlab.seeding import seeded


def random_tensors(seed: int) -> Callable[..., Tensor]:
    """Standard normal tensors from one seeded stream."""
    return partial(torch.randn, generator=torch.Generator().manual_seed(seed))


def quarters(x: Tensor) -> Tensor:
    """The nearest multiples of a quarter: numbers that no processor rounds, nor sums of a few of their products."""
    return (4 * x).round() / 4


def picker(seed: int) -> Callable[..., int]:
    """Draws one of some integers, from one seeded stream."""
    generator = torch.Generator().manual_seed(seed)

    def pick(*values: int) -> int:
        return values[int(torch.randint(len(values), (), generator=generator))]

    return pick


def uniform_numbers(seed: int) -> Callable[[float, float], float]:
    """Draws a number between two others, from one seeded stream."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * torch.rand((), generator=generator).item()

    return uniform


@contextlib.contextmanager
def other_generators(seed: int) -> Iterator[None]:
    """Seed the global generators, which an answer that is given an `rng` must not use, for a while."""
    python, numbers = random.getstate(), np.random.get_state()  # noqa: NPY002
    with seeded(seed):
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002 (it is the global one)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numbers)  # noqa: NPY002


@contextlib.contextmanager
def processor_limit(seconds: float, failure: Exception) -> Iterator[None]:
    """Raise `failure` in the block once it has taken so much processor time, as a loop without an end does.

    Nothing is limited where the system has no such timer (Windows), nor in another thread than the main one.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise failure

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def but_defaults(defaults: Values, **options: Value) -> Values:
    """The options that are not at their default: who is given no option must take the default that the stub has."""
    return {key: value for key, value in options.items() if value != defaults[key]}


def in_single(case: Values) -> Values:
    """The case in single precision, as the labs' tensors are: a dtype that is written into an answer shows."""
    return {
        key: value.float() if isinstance(value, Tensor) and value.is_floating_point() else value
        for key, value in case.items()
    }


def watched(*given: Tensor) -> Callable[[], bool]:
    """A function that says whether one of these tensors has another shape or other values than now."""
    before = [tensor.detach().clone() for tensor in given]
    return lambda: any(
        a.shape != b.shape or not torch.equal(a.detach(), b) for a, b in zip(given, before, strict=True)
    )


def left_frozen(network: nn.Module) -> bool:
    """Whether a parameter of a network was left without a gradient; all of them have one again afterwards."""
    frozen = not all(parameter.requires_grad for parameter in network.parameters())
    network.requires_grad_()
    return frozen


def tensor_of(case: Values, key: str) -> Tensor:
    """The tensor that a case holds under this key."""
    value = case[key]
    assert isinstance(value, Tensor)
    return value


def drawn_state(network: nn.Module, randn: Callable[..., Tensor]) -> Values:
    """Parameters and statistics for `network`, drawn in the order of its state, as entries "state.NAME" of a case.

    Weights have the variance 1 / fan-in, running variances are at least 0.5.
    """
    state: Values = {}
    for name, value in network.state_dict().items():
        if value.dtype != torch.int64:  # batch norms count their batches
            drawn = randn(value.shape) / max(1, value[0].numel()) ** 0.5
            state[f"state.{name}"] = drawn.abs() + 0.5 if name.endswith("running_var") else drawn
    return state


def fit_or_say(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Raise `AnswerError` where a parameter of the learner's module has another shape than the exercise's."""
    for name, value in module.state_dict().items():
        if name in state and value.shape != state[name].shape:
            raise AnswerError(
                "Returned", f"has {name} of shape {tuple(value.shape)}; expected {tuple(state[name].shape)}."
            )


def parameters_or_say(module: nn.Module, state: Mapping[str, Tensor], hint: str = "") -> None:
    """Raise `AnswerError` where the learner's module has other parameters than the exercise's, in name or shape."""
    have = {name: tuple(value.shape) for name, value in sorted(module.named_parameters())}
    needed = {name: tuple(value.shape) for name, value in sorted(state.items())}
    if have != needed:
        raise AnswerError("Returned", f"has the parameters {have}; expected {needed}.{hint}")


def state_of(case: Values) -> dict[str, Tensor]:
    """What a case holds as "state.NAME", by NAME."""
    return {key.removeprefix("state."): tensor_of(case, key) for key in case if key.startswith("state.")}
