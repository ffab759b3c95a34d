"""Running a model on inputs of its own: copies of the caller's, and gradients without `.grad`."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from itertools import starmap
from typing import Any

import torch
from torch import Tensor, nn

from efficientlab.counters.held import CONTAINERS, everything_in, is_generator, is_open, tags, tensors_within
from efficientlab.counters.meter import Meter


class Trial:
    """One model and its own copies of the inputs, to be run again and again."""

    def __init__(self, model: Callable[..., Any], inputs: Any, backward: bool) -> None:
        self.model = model
        self.backward = backward
        self._inputs = inputs
        self._copies, self._inside_a_graph = _leaf_copies(inputs)
        self._leaves: list[Tensor] = []

    def inputs(self) -> Any:
        """Leaves where the given tensors were leaves; in-place operators refuse leaves, but nothing else."""
        copies = {
            key: _tagged(x.clone(), x) if key in self._inside_a_graph else x
            for key, x in self._copies.items()
        }
        return copy.deepcopy(self._inputs, copies)

    def run(self) -> None:
        """Forward, and the gradients of all leaves if wanted. Their list is made in the first run."""
        with torch.set_grad_enabled(self.backward):
            output = self.model(*self.inputs())
            if self.backward:
                outputs = _differentiable(output)
                self._leaves = self._leaves or _leaves(outputs)
                seeds = _ones(outputs)
                torch.autograd.grad(outputs, self._leaves, seeds, allow_unused=True)

    def count(self, meter: Meter) -> None:
        """The same as `run`, watched. The gradient at the outputs is given, and so not part of the count."""
        with torch.set_grad_enabled(self.backward):
            inputs = self.inputs()
            meter.expect(self.model, inputs)
            with meter.running():
                output = self.model(*inputs)
                _check_has_run(output)
                meter.check_results(output)
            if self.backward:
                outputs = _differentiable(output)
                del inputs, output
                leaves, seeds = _leaves(outputs), _ones(outputs)
                meter.expect(seeds)
                hooks = [leaf.register_hook(meter.storages.release) for leaf in leaves]
                try:
                    with meter.running():
                        meter.check_results(torch.autograd.grad(outputs, leaves, seeds, allow_unused=True))
                finally:
                    for hook in hooks:
                        hook.remove()


def _check_has_run(output: Any) -> None:
    """A generator or a coroutine, wherever it is in the output, has computed nothing yet: its cost would be 0."""
    for x in everything_in(output):
        if isinstance(x, zip | enumerate):
            _check_has_run(x.__reduce__()[1])  # the iterators that it draws from
        if isinstance(x, _NOT_RUN):
            if isinstance(x, Coroutine):
                x.close()
            raise TypeError(
                f"the model returned a {type(x).__name__}, which has computed nothing yet: "
                "count a function that runs it"
            )


_NOT_RUN = (Generator, Coroutine, AsyncGenerator, map, filter, starmap)


def _leaf_copies(inputs: Any) -> tuple[dict[int, Any], set[int]]:
    """What stands for the parts of `inputs` in a deep copy, by id: leaves for tensors, and what is not copied.

    A tensor that is passed twice stays one tensor. The second result: the ids of tensors that are no leaves.
    """
    copies: dict[int, Any] = {}
    inside_a_graph = set()
    for x in everything_in(inputs):
        if isinstance(x, Tensor):
            copies[id(x)] = _tagged(x.detach().clone().requires_grad_(x.requires_grad), x)
            if not x.is_leaf:
                inside_a_graph.add(id(x))
    copies |= {id(x): x for x in not_copied(inputs)}
    for x in everything_in(inputs):
        if isinstance(x, Tensor) and tags(x):
            vars(copies[id(x)]).update(copy.deepcopy(tags(x), copies))
    return copies, inside_a_graph


def _tagged(copied: Tensor, x: Tensor) -> Tensor:
    """With what was attached to x: a subclass may need it for whatever is done with the copy."""
    vars(copied).update(tags(x))
    return copied


def not_copied(inputs: Any) -> list[Any]:
    """What a run gets as it is: modules, generators of random numbers, and objects that refuse a copy."""
    return [
        x
        for x in everything_in(inputs)
        if isinstance(x, nn.Module) or is_generator(x) or not _can_be_copied(x)
    ]


def _can_be_copied(x: Any) -> bool:
    if isinstance(x, Tensor):
        return True
    try:
        copy.copy(x) if is_open(x) or isinstance(x, CONTAINERS) else copy.deepcopy(x)
    except Exception:  # whatever its class raises
        return False
    return True


def _differentiable(output: Any) -> list[Tensor]:
    outputs = [x for x in tensors_within(output) if x.requires_grad]
    if not outputs:
        raise ValueError(
            "backward=True, but no output of the model requires a gradient: its parameters are frozen "
            "and no input has requires_grad, or it returns no tensor, list, tuple or dict of tensors"
        )
    return outputs


def _ones(outputs: list[Tensor]) -> list[Tensor]:
    """Gradients to start from; those of a sparse output keep its pattern."""
    return [torch.ones_like(x) if x.layout is torch.strided else x.detach().clone() for x in outputs]


def _leaves(outputs: list[Tensor]) -> list[Tensor]:
    """Every tensor that a backward pass from `outputs` would give a gradient to, found by walking the graph.

    Asking for their gradients, rather than calling backward(), leaves every `.grad` as it was.
    """
    leaves = [x for x in outputs if x.is_leaf]
    seen: set[Any] = set()
    todo: list[Any] = [x.grad_fn for x in outputs]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if type(node).__name__ == "AccumulateGrad":
            leaves.append(node.variable)
        todo += [following for following, _ in node.next_functions]
    return leaves
