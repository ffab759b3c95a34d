"""`count` and `measure`: what does this model cost?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from .latency import latency, timer_for
from .meter import Meter, Tally
from .module_latency import module_latencies
from .report import Measurement, ModuleRow, NotCounted, OpRow

Model = nn.Module | Callable[..., Any]


def measure(model: Model, *inputs: Any, backward: bool = False, time: bool = True) -> Measurement:
    """What `model(*inputs)` costs: MACs, parameters, bytes, memory, arithmetic intensity, and time.

    - `macs`: multiply-accumulates of every operator that has any; 1 MAC = 2 `flops`. What is zero by
      convention is listed in `efficientlab.counters.conventions`. What is unknown is listed in `not_counted`
      with its call site, and then `complete` is False. Causal attention counts the pairs that its mask
      leaves, about half of the dense ones.
    - `params`, `param_bytes`: a shared parameter counts once.
    - `bytes_read`, `bytes_written`: per operator, each distinct input read once and each result written once;
      views are free (`efficientlab.counters.traffic`). `intensity` is FLOPs per byte.
    - `peak_activation_bytes`: most bytes alive at one time of those that the run allocated. Parameters,
      buffers, inputs and the gradients of parameters are not in it, nor is scratch memory inside operators.
    - `latency`: timed after the counting, outside of it; None with `time=False` and on meta tensors. Rows
      have one too, unless the backward pass, which has no module boundaries, is part of the time.
    - `rows` per module (with everything inside it), `ops` per operator.

    The forward pass alone runs without gradients, as inference does. With `backward`, it is followed by the
    gradients of all outputs with respect to the parameters and to those inputs that require one; the
    gradient at the outputs is given. Modes (`train()`, `eval()`) are taken as they are. The model is left as
    it was: buffers, gradients and random state are restored, and inputs are copied, so that in-place
    operators cannot reach yours.

    Args:
        model: a module or any function. A compiled module is counted as the eager one; one in
            DistributedDataParallel without its communication.
        inputs: its positional arguments: tensors, and lists, tuples or dicts of them.
        backward: count and time the backward pass too.
        time: measure the latency, which takes about a second.

    Raises:
        TypeError: if `model` is not callable, or a module's class instead of a module.
        ValueError: if the inputs lie on another device than the model, or nothing can be differentiated.

    >>> measure(torch.nn.Linear(8, 4), torch.zeros(2, 8), time=False).macs
    64
    """
    _check(model)
    model = _unwrapped(model)
    with torch.inference_mode(False), _trace_left() as remember:
        copies = _copied(inputs)
        meter = Meter(model, remember)
        meter.storages.expect([x for x in tree_leaves(copies) if isinstance(x, Tensor)])
        with _errors_explained(model, inputs):
            _run(model, copies, backward, meter)
        result = _measurement(meter)
        if time and not _on_meta(model, inputs):
            result = _timed(result, meter, model, _copied(inputs), backward)
    return result


def _timed(result: Measurement, meter: Meter, model: Model, inputs: Any, backward: bool) -> Measurement:
    """The same measurement with the time of the whole run, and of each module where that is the forward."""
    on_graph = any(isinstance(x, Tensor) and not x.is_leaf for x in tree_leaves(inputs))

    def run() -> None:  # an in-place operator grows the graph of such an input, and backward frees it
        _run(model, _copied(inputs) if on_graph else inputs, backward)

    whole = latency(run, timer=timer_for(model, inputs))
    if backward:
        return replace(result, latency=whole)
    with torch.no_grad():
        modules = {tally.name: tally.module for tally in meter.called() if tally.module is not None}
        parts = module_latencies(lambda: model(*inputs), modules.values())
    names = {name: parts[module] for name, module in modules.items() if module in parts}
    rows = [replace(row, latency=names.get(row.name)) for row in result.rows]
    return replace(result, latency=whole, rows=tuple(rows))


def count(model: Model, *inputs: Any, backward: bool = False) -> Measurement:
    """`measure` without the time: works on meta tensors as well as on real ones."""
    return measure(model, *inputs, backward=backward, time=False)


def _run(model: Model, inputs: Any, backward: bool, meter: Meter | None = None) -> None:
    """One forward pass, and one backward pass where wanted."""
    watch: Callable[[], AbstractContextManager[Any]] = meter.running if meter else nullcontext
    check: Callable[[Any], None] = meter.check_results if meter else lambda results: None
    with torch.set_grad_enabled(backward):
        with watch():
            output = model(*inputs)
            check(output)
        if not backward:
            return
        outputs = [x for x in tree_leaves(output) if isinstance(x, Tensor) and x.requires_grad]
        if not outputs:
            raise ValueError(
                "backward=True, but no output of the model requires a gradient: its parameters are frozen "
                "and no input has requires_grad, or it returns no tensor, list, tuple or dict of tensors"
            )
        seeds = [torch.ones_like(x) for x in outputs]
        leaves = _leaves(outputs)
        del output
        with ExitStack() as hooks:
            if meter:
                meter.storages.expect(seeds)
                for leaf in leaves:
                    hooks.callback(leaf.register_hook(meter.storages.release).remove)
            with watch():
                check(torch.autograd.grad(outputs, leaves, seeds, allow_unused=True))


def _leaves(outputs: list[Tensor]) -> list[Tensor]:
    """Every tensor that a backward pass from `outputs` would give a gradient to, found by walking the graph.

    Asking for their gradients, rather than calling backward(), leaves every `.grad` as it was.
    """
    leaves: list[Tensor] = []
    seen: set[Any] = set()
    todo: list[Any] = [x.grad_fn if x.grad_fn is not None else x for x in outputs]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if isinstance(node, Tensor):
            leaves.append(node)
        elif type(node).__name__ == "AccumulateGrad":
            todo.append(node.variable)
        else:
            todo += [following for following, _ in node.next_functions]
    return leaves


def _measurement(meter: Meter) -> Measurement:
    modules = meter.root_modules
    parameters = list({p: None for module in modules for p in module.parameters()})
    root = meter.root
    return Measurement(
        name=root.kind,
        params=sum(p.numel() for p in parameters),
        param_bytes=sum(p.numel() * p.element_size() for p in parameters),
        macs_by_dtype=dict(meter.macs_by_dtype),
        latency=None,
        peak_activation_bytes=root.peak_activation_bytes,
        rows=tuple(_module_row(tally, modules) for tally in meter.called()),
        ops=tuple(
            OpRow(name=op.name, calls=op.calls, **_cost(op))
            for op in sorted(
                meter.operators.values(), key=lambda op: (-op.macs, -op.bytes_read - op.bytes_written)
            )
        ),
        not_counted=tuple(NotCounted(op, site, calls) for (op, site), calls in meter.not_counted.items()),
        **_cost(root),
    )


def _module_row(tally: Tally, roots: list[nn.Module]) -> ModuleRow:
    modules = [tally.module] if tally.module is not None else roots
    return ModuleRow(
        name=tally.name,
        kind=tally.kind,
        calls=tally.calls,
        params=sum(p.numel() for p in {p: None for module in modules for p in module.parameters()}),
        peak_activation_bytes=tally.peak_activation_bytes,
        **_cost(tally),
    )


def _cost(tally: Tally) -> dict[str, Any]:
    return {name: getattr(tally, name) for name in ("macs", "macs_backward", "bytes_read", "bytes_written")}


# ---------------------------------------------------------------------------------- leave no trace


def _copied(inputs: Any) -> Any:
    """Copies of the tensors among the inputs, out of any graph; one that is passed twice stays one tensor."""
    copies: dict[int, Tensor] = {}

    def copy(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        if id(x) not in copies:
            leaf = x.detach().clone().requires_grad_(x.requires_grad)
            copies[id(x)] = leaf if x.is_leaf else leaf.clone()  # in-place operators refuse leaves alone
        return copies[id(x)]

    with torch.enable_grad():
        return tree_map(copy, inputs)


@contextmanager
def _trace_left() -> Iterator[Callable[[nn.Module], None]]:
    """Put random state and buffers (running statistics) back at the end, also after a failure.

    Yields a function that takes note of a module's buffers before it runs.
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


# --------------------------------------------------------------------------------------- bad input


def _check(model: Any) -> None:
    if isinstance(model, type) and issubclass(model, nn.Module):
        raise TypeError(f"{model.__name__} is a class, not a module: pass {model.__name__}(...)")
    if not callable(model):
        raise TypeError(f"model must be a module or a function, got {type(model).__name__}")


def _unwrapped(model: Any) -> Any:
    """The module inside torch.compile's or DistributedDataParallel's: counting must not wait for other ranks."""
    while True:
        if isinstance(model, nn.parallel.DistributedDataParallel):
            model = model.module
        elif hasattr(model, "_orig_mod"):
            model = model._orig_mod
        else:
            return model


def _devices(model: Any, inputs: Any) -> tuple[set[str], set[str]]:
    parameters = model.parameters() if isinstance(model, nn.Module) else ()
    tensors = [x for x in tree_leaves(inputs) if isinstance(x, Tensor)]
    return {str(p.device) for p in parameters}, {str(x.device) for x in tensors}


def _on_meta(model: Any, inputs: Any) -> bool:
    of_model, of_inputs = _devices(model, inputs)
    return "meta" in of_model | of_inputs


@contextmanager
def _errors_explained(model: Any, inputs: Any) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, NotImplementedError) as error:
        if "use_reentrant=True" in str(error):
            raise ValueError(
                "checkpoint(..., use_reentrant=True) cannot be counted backward: "
                "pass use_reentrant=False, as torch itself recommends"
            ) from error
        of_model, of_inputs = _devices(model, inputs)
        if of_model and of_inputs - of_model:
            raise ValueError(
                f"the model is on {', '.join(sorted(of_model))}, an input on "
                f"{', '.join(sorted(of_inputs - of_model))}: move them to one device"
            ) from error
        raise
