"""Running a model so that nothing of it changes: copied inputs, gradients without `.grad`, state put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from efficientlab.counters.meter import Meter


class Trial:
    """One model and its own copies of the inputs, to be run again and again."""

    def __init__(self, model: Callable[..., Any], inputs: Any, backward: bool) -> None:
        self.model = model
        self.backward = backward
        self._inputs, self._inside_a_graph = _leaf_copies(inputs)
        self._leaves: list[Tensor] = []

    def inputs(self) -> Any:
        """Leaves where the given tensors were leaves; in-place operators refuse leaves, but nothing else."""
        return tree_map(lambda x: x.clone() if id(x) in self._inside_a_graph else x, self._inputs)

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
            meter.storages.expect(inputs)
            with meter.running():
                output = self.model(*inputs)
                meter.check_results(output)
            if self.backward:
                outputs = _differentiable(output)
                del inputs, output
                leaves, seeds = _leaves(outputs), _ones(outputs)
                meter.storages.expect(seeds)
                hooks = [leaf.register_hook(meter.storages.release) for leaf in leaves]
                try:
                    with meter.running():
                        meter.check_results(torch.autograd.grad(outputs, leaves, seeds, allow_unused=True))
                finally:
                    for hook in hooks:
                        hook.remove()


def _leaf_copies(inputs: Any) -> tuple[Any, set[int]]:
    """Copies of the tensors among the inputs, and the ids of those whose original was not a leaf.

    A tensor that is passed twice stays one tensor.
    """
    copies: dict[int, Tensor] = {}

    def copy(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        if id(x) not in copies:
            copies[id(x)] = x.detach().clone().requires_grad_(x.requires_grad)
        return copies[id(x)]

    copied = tree_map(copy, inputs)
    originals = [x for x in tree_leaves(inputs) if isinstance(x, Tensor)]
    return copied, {id(copies[id(x)]) for x in originals if not x.is_leaf}


def _differentiable(output: Any) -> list[Tensor]:
    outputs = [x for x in tree_leaves(output) if isinstance(x, Tensor) and x.requires_grad]
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


@contextmanager
def state_kept() -> Iterator[Callable[[nn.Module], None]]:
    """Put random state and buffers (running statistics) back at the end, also after a failure.

    Yields a function that takes note of a module's buffers, to be called before the module runs.
    """
    saved: list[tuple[nn.Module, str, Tensor, Tensor]] = []

    def remember(module: nn.Module) -> None:
        for owner in module.modules():
            for name, buffer in owner._buffers.items():
                if buffer is not None and not nn.parameter.is_lazy(buffer):
                    saved.append((owner, name, buffer, buffer.detach().clone()))

    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        try:
            yield remember
        finally:
            for owner, name, buffer, value in saved:
                owner._buffers[name] = buffer
                if not buffer.is_meta and not torch.equal(buffer, value):
                    buffer.detach().copy_(value)
