"""`count` and `measure`: what does this model cost?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from efficientlab.counters.held import everything_in, owner_of, tensors_within
from efficientlab.counters.latency import latency, timer_for
from efficientlab.counters.meter import Meter, Tally
from efficientlab.counters.module_latency import module_latencies
from efficientlab.counters.report import Measurement, ModuleRow, NotCounted, OpRow
from efficientlab.counters.state import state_kept
from efficientlab.counters.trial import Trial, not_copied

Model = nn.Module | Callable[..., Any]

_ONE_THREAD = threading.RLock()
"""Hooks, random states and what the garbage collector has set apart are the whole program's: threads take turns."""


def measure(model: Model, *inputs: Any, backward: bool = False, time: bool = True) -> Measurement:
    """What `model(*inputs)` costs: MACs, parameters, bytes, memory, arithmetic intensity, and time.

    - `macs`: multiply-accumulates of every operator that has any; 1 MAC = 2 `flops`. What is zero by
      convention is listed in `efficientlab.counters.conventions`. What is unknown is listed in `not_counted`
      with its call site, and then `complete` is False. Causal attention counts the pairs that its mask
      leaves, about half of the dense ones. A complex product is four real ones.
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
    gradient at the outputs is given. Modes (`train()`, `eval()`) are taken as they are.

    The model is left as it was: parameters, buffers and gradients, attributes and what they hold, and the random
    states of torch, NumPy and Python are put back (`efficientlab.counters.state` says what is not), for which a
    copy of them is kept meanwhile. Lazy modules stay lazy. Inputs are copied, whatever holds them, so that
    in-place operators cannot reach yours.

    Args:
        model: a module, a method of one (which has the module's parameters), or any function. A compiled
            module is counted as the eager one; one in DistributedDataParallel without its communication.
        inputs: its positional arguments: tensors, dense, sparse or nested, and whatever holds them.
        backward: count and time the backward pass too.
        time: measure the latency, which takes about a second.

    Raises:
        TypeError: if `model` is not callable, a module's class instead of a module, or returns a generator.
        ValueError: if the inputs lie on another device than the model, or nothing can be differentiated.

    >>> measure(torch.nn.Linear(8, 4), torch.zeros(2, 8), time=False).macs
    64
    """
    _check(model)
    model = _unwrapped(model)
    with _ONE_THREAD, torch.inference_mode(False), state_kept() as remember:
        remember(model, *not_copied(inputs))
        meter = Meter(model, remember)
        with _errors_explained(model, inputs):
            if _is_scripted(model):
                _run_once(model, inputs, backward)
            Trial(model, inputs, backward).count(meter)
        result = _measurement(meter)
        if time and not _on_meta(model, inputs):
            result = _timed(result, meter, Trial(model, inputs, backward))
    return result


def count(model: Model, *inputs: Any, backward: bool = False) -> Measurement:
    """`measure` without the time: works on meta tensors as well as on real ones."""
    return measure(model, *inputs, backward=backward, time=False)


def _is_scripted(model: Model) -> bool:
    return any(isinstance(x, torch.jit.ScriptModule | torch.jit.ScriptFunction) for x in everything_in(model))


def _run_once(model: Model, inputs: Any, backward: bool) -> None:
    """The first run of scripted code makes its constants, which would be taken for work that nobody saw."""
    with state_kept() as remember:
        remember(model, *not_copied(inputs))
        Trial(model, inputs, backward).count(Meter(model, remember))


def _timed(result: Measurement, meter: Meter, trial: Trial) -> Measurement:
    """The same measurement with the time of the whole run, and of each module where that is the forward."""
    whole = latency(trial.run, timer=timer_for(trial.model, trial.inputs()))
    if trial.backward:
        return replace(result, latency=whole)
    modules = {tally.name: tally.module for tally in meter.called() if tally.module is not None}
    times = module_latencies(trial.run, modules.values())
    by_name = {name: times[module] for name, module in modules.items() if module in times}
    rows = tuple(replace(row, latency=by_name.get(row.name)) for row in result.rows)
    return replace(result, latency=whole, rows=rows)


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
    owner = owner_of(model)
    parameters = () if owner is None else owner.parameters()
    return {str(p.device) for p in parameters}, {str(x.device) for x in tensors_within(inputs)}


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
