"""The counter itself: a dispatch mode that sees every operator, and hooks that know whose it is."""

from __future__ import annotations

import sys
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.nn.parameter import is_lazy
from torch.utils import _python_dispatch
from torch.utils._python_dispatch import TorchDispatchMode

from efficientlab.counters.causal import DENSE, causal_attention
from efficientlab.counters.conventions import State, state_of
from efficientlab.counters.formulas import has_formula, macs_of
from efficientlab.counters.held import everything_in, owner_of, tensors_within
from efficientlab.counters.memory import Storages, is_new, new_objects_apart
from efficientlab.counters.traffic import Access, access, distinct_bytes, is_made_of_others, tensors_in
from efficientlab.counters.writes import Writes

_OWN_CODE = (str(Path(torch.__file__).parent), str(Path(__file__).parent))
_DENSE_PRODUCTS = {
    torch.ops.aten.bmm, torch.ops.aten.baddbmm, torch.ops.aten.mm, torch.ops.aten.addmm, torch.ops.aten.matmul,
}  # fmt: skip


@dataclass(eq=False)
class Tally:
    """What one module or one kind of operator has cost so far, with everything inside it."""

    name: str
    kind: str
    module: nn.Module | None = None
    calls: int = 0
    macs: int = 0
    macs_backward: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    peak_activation_bytes: int = 0

    def add(self, macs: int, read: int, written: int, backward: bool) -> None:
        self.macs += macs
        self.macs_backward += macs if backward else 0
        self.bytes_read += read
        self.bytes_written += written


Owners = tuple[Tally, ...]  # the running modules, outermost first


class Meter(TorchDispatchMode):
    """Counts every operator that runs inside `with meter.running():`.

    An operator belongs to the modules whose forward is running. In the backward pass it belongs to the
    modules that ran when its autograd node was made, found by the node's sequence number: this holds for
    shared modules, modules called twice, in-place operators and non-reentrant checkpointing.
    """

    supports_higher_order_operators = True

    def __init__(self, model: Any, discovered: Callable[[nn.Module], None] = lambda module: None) -> None:
        """`discovered` is called with each module that is not part of a known one, before it runs."""
        super().__init__()
        self._model = model
        name = (
            type(model).__name__ if isinstance(model, nn.Module) else getattr(model, "__name__", "function")
        )
        self._counts_root = isinstance(model, nn.Module)  # a function, or a module's method, is called once
        self.root = Tally("", name, calls=0 if self._counts_root else 1)
        self.root_modules: list[nn.Module] = []
        self.modules: dict[int, Tally] = {}  # by id; the tally holds the module, so the id stays taken
        self.operators: dict[str, Tally] = {}
        self.not_counted: dict[tuple[str, str], int] = {}  # (operator, call site) -> calls
        self.storages = Storages()
        self.writes = Writes()
        self._discovered = discovered
        self.macs_by_dtype: dict[str, int] = {}
        self._stack: list[Owners] = [(self.root,)]
        self._fraction = DENSE
        self._marks: list[int] = []  # autograd sequence numbers at which the owner changed
        self._owners: list[tuple[Owners, Fraction]] = []
        self._thread = threading.get_ident()
        self._states: dict[Any, State | None] = {}
        if (owner := owner_of(model)) is not None:
            self._name_modules(owner, "")

    # ------------------------------------------------------------------------------ which module

    @contextmanager
    def running(self) -> Iterator[Meter]:
        with ExitStack() as stack:
            stack.enter_context(_no_mode_left())
            stack.callback(register_module_forward_pre_hook(self._enter).remove)
            stack.callback(register_module_forward_hook(self._leave, always_call=True).remove)
            stack.enter_context(causal_attention(self._set_fraction, self._namespaces()))
            if "torch._dynamo" in sys.modules:  # a compiled model is counted as the eager one that it is
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            stack.enter_context(new_objects_apart())
            stack.enter_context(self)
            self._mark()
            yield self

    def _namespaces(self) -> list[dict[str, Any]]:
        """The globals of the files that the model's classes, or the function, come from, and the modules' attributes.

        torch's own files import nothing.
        """
        modules = [module for root in self.root_modules for module in root.modules()]
        names = {type(module).__module__ for module in modules}
        spaces = [
            vars(sys.modules[name]) for name in names if name in sys.modules and not name.startswith("torch.")
        ]
        spaces += [vars(module) for module in modules if not isinstance(module, torch.jit.ScriptModule)]
        spaces.append(getattr(self._model, "__globals__", {}))
        return list({id(space): space for space in spaces}.values())

    def expect(self, *values: object) -> None:
        """Tensors and arrays, also inside of containers and objects, that were made before and will turn up."""
        for x in everything_in(*values):
            if isinstance(x, np.ndarray):
                self.storages.expect_array(x)
            elif isinstance(x, Tensor) and not is_lazy(x):
                self.storages.expect(x)
                self.writes.note(x)

    def _name_modules(self, module: nn.Module, prefix: str) -> None:
        for name, child in module.named_modules(prefix=prefix):
            if id(child) not in self.modules:
                self.modules[id(child)] = Tally(name, type(child).__name__, child)
        if not prefix:
            self.root.module = module
            self.modules[id(module)] = self.root
        self.root_modules.append(module)
        with _unwatched():
            self._discovered(module)

    def called(self) -> list[Tally]:
        """The root, and the modules that ran, in the model's own order."""
        others = [tally for tally in self.modules.values() if tally.calls and tally is not self.root]
        return [self.root, *others]

    def _is_elsewhere(self) -> bool:
        """Whether another thread runs, whose operators do not come by: hooks are called for all of them."""
        return all(mode is not self for mode in _python_dispatch._get_current_dispatch_mode_stack())

    def _enter(self, module: nn.Module, inputs: Any) -> None:
        if self._is_elsewhere():
            return
        if id(module) not in self.modules:
            self._name_modules(module, self._fresh_name(module))
        tally = self.modules[id(module)]
        tally.calls += tally is not self.root or self._counts_root
        path = self._stack[-1]
        self._stack.append(path if tally in path else (*path, tally))
        self._mark()

    def _leave(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if self._is_elsewhere():
            return
        self._stack.pop()
        self._mark()

    def _fresh_name(self, module: nn.Module) -> str:
        """A module outside the model (made on the fly, or called by a function) is named after its type."""
        taken = {tally.name for tally in self.modules.values()}
        kind = type(module).__name__
        return next(
            name for i in range(len(taken) + 1) if (name := f"{kind}_{i}" if i else kind) not in taken
        )

    def _set_fraction(self, fraction: Fraction) -> None:
        if not self._is_elsewhere():
            self._fraction = fraction
            self._mark()

    def _mark(self) -> None:
        """From this sequence number on, new autograd nodes belong to the present owner."""
        if threading.get_ident() != self._thread:
            return  # sequence numbers are per thread
        number = torch.autograd._get_sequence_nr()
        if self._marks and self._marks[-1] == number:
            self._marks.pop()
            self._owners.pop()
        self._marks.append(number)
        self._owners.append((self._stack[-1], self._fraction))

    def _owner(self) -> tuple[Owners, Fraction, bool]:
        """Running modules, causal fraction, and whether this is the backward pass."""
        if torch._C._current_graph_task_id() == -1:
            return self._stack[-1], self._fraction, False
        if len(self._stack) > 1:  # a forward that is run again by a checkpoint
            return self._stack[-1], self._fraction, True
        node = torch._C._current_autograd_node()
        index = bisect_right(self._marks, node._sequence_nr()) - 1 if node is not None else -1
        path, fraction = self._owners[index] if index >= 0 else ((self.root,), DENSE)
        return path, fraction, True

    # -------------------------------------------------------------------------------- which cost

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if any(is_made_of_others(kind) for kind in types):
            return NotImplemented  # its parts come by as operators of their own
        if not isinstance(func, torch._ops.OpOverload):
            return self._higher_order(func, args, kwargs)
        if func not in self._states:
            self._states[func] = None if has_formula(func.overloadpacket) else state_of(func)
        state = self._states[func]
        if state is State.COMPOSITE and not any(x.is_nested for x in tensors_in([*args, *kwargs.values()])):
            with self:  # a nested tensor has kernels of its own for such an operator
                out = func.decompose(*args, **kwargs)
            if out is not NotImplemented:
                return out
        path, fraction, backward = self._owner()
        self._check_writes(tensors_in([*args, *kwargs.values()]), path)
        out = func(*args, **kwargs)
        macs = 0
        if state is None:
            macs = self._macs(func.overloadpacket, args, kwargs, out, path)
            if fraction != DENSE and func.overloadpacket in _DENSE_PRODUCTS:
                macs = int(macs * fraction)
            if macs:
                dtype = str(next(tensors_in(args)).dtype.to_real()).removeprefix("torch.")
                self.macs_by_dtype[dtype] = self.macs_by_dtype.get(dtype, 0) + macs
        elif state is not State.ZERO:
            self._miss(str(func.overloadpacket), path)
        touched = access(func, args, kwargs, out)
        self._record(
            str(func.overloadpacket), path, macs, touched.bytes_read, touched.bytes_written, backward
        )
        self._check_origin(touched.reads, path)
        if not _imports_foreign_memory(func, args):
            self.storages.record(touched)
        self.writes.record([*touched.inputs, *touched.fresh], touched.modified)
        for tally in path:
            tally.peak_activation_bytes = max(tally.peak_activation_bytes, self.storages.allocated)
        return out

    def _higher_order(self, func: Any, args: Any, kwargs: Any) -> Any:
        """An operator over functions or a raw Triton kernel: counted by its formula or reported."""
        out = func(*args, **kwargs)
        path, _, backward = self._owner()
        macs = self._macs(func, args, kwargs, out, path)
        inputs, results = list(tensors_in([*args, *kwargs.values()])), list(tensors_in(out))
        read, written = distinct_bytes(inputs), distinct_bytes(results)
        self._record(func.name(), path, macs, read, written, backward)
        self.storages.record(Access(inputs, inputs, results, [], True, read, written))
        self.writes.record([*inputs, *results], inputs)  # it does not say which ones it writes to
        return out

    def _macs(self, operator: Any, args: Any, kwargs: Any, out: Any, path: Owners) -> int:
        """MACs by the operator's formula; where it has none, or none for such arguments, 0 and a miss."""
        try:
            macs = macs_of(operator, args, kwargs, out)
        except (AttributeError, IndexError, RuntimeError, TypeError, ValueError):
            macs = None  # a layout or a form of the arguments that its author did not know
        if macs is None:
            name = operator.name() if callable(getattr(operator, "name", None)) else str(operator)
            self._miss(name, path)
        return macs or 0

    def _record(self, name: str, path: Owners, macs: int, read: int, written: int, backward: bool) -> None:
        operator = self.operators.setdefault(name, Tally(name, "operator"))
        operator.calls += 1
        for tally in (*path, operator):
            tally.add(macs, read, written, backward)

    # -------------------------------------------------------------------------- what was not seen

    def check_results(self, results: Any) -> None:
        """Report results of the whole run that no operator made, and writes that none did."""
        self._check_writes(None, self._stack[-1])
        self._check_origin(tensors_within(results), self._stack[-1])

    def _check_origin(self, reads: list[Tensor], path: Owners) -> None:
        """Data that appears from nowhere was computed where the counter cannot see it.

        Real numbers only: integers, such as indices that NumPy sorted, hide no multiply-accumulates.
        """
        for x in reads:
            if x.is_meta or not (x.is_floating_point() or x.is_complex()):
                continue
            if self.storages.blank(x):
                self._miss(
                    "a kernel that is no operator (raw Triton, CUDA or NumPy) filling torch.empty", path
                )
            elif x.numel() > 1 and not self.storages.known(x) and is_new(x):
                function = "" if x.grad_fn is None else f", by {x.grad_fn.name()}"
                self._miss(f"data made outside of torch's operators{function}", path)

    def _check_writes(self, tensors: Iterable[Tensor] | None, path: Owners) -> None:
        if self.writes.unseen(tensors):
            self._miss("a write into an existing tensor by no operator of this thread", path)

    def _miss(self, name: str, path: Owners) -> None:
        site = f"{path[-1].name or path[-1].kind} ({_call_site()})"
        self.not_counted[name, site] = self.not_counted.get((name, site), 0) + 1


@contextmanager
def _no_mode_left() -> Iterator[None]:
    """Take off the dispatch stack what a run left there that failed between two lines of `with mode:`."""
    depth = torch._C._len_torch_dispatch_stack()
    flags = {name: value for name, value in vars(_python_dispatch).items() if name.startswith("_is_in_")}
    try:
        yield
    finally:
        if torch._C._len_torch_dispatch_stack() > depth:
            while torch._C._len_torch_dispatch_stack() > depth:
                torch._C._pop_torch_dispatch_stack(None)
            vars(_python_dispatch).update(flags)


@contextmanager
def _unwatched() -> Iterator[None]:
    """In the middle of a run: no mode counts, and no functional transform wraps, what happens inside."""
    modes = [torch._C._pop_torch_dispatch_stack(None) for _ in range(torch._C._len_torch_dispatch_stack())]
    try:
        with torch._C._DisableFuncTorch():
            yield
    finally:
        for mode in reversed(modes):
            torch._C._push_on_torch_dispatch_stack(mode)


def _imports_foreign_memory(func: Any, args: Any) -> bool:
    """Whether this is torch.from_numpy and the like: torch could not resize what it does not own."""
    return func is torch.ops.aten.lift_fresh.default and not args[0].untyped_storage().resizable()


def _call_site() -> str:
    """File and line of the innermost frame that is neither torch's nor this package's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not frame.f_code.co_filename.startswith((*_OWN_CODE, "<frozen")):
            return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        frame = frame.f_back
    return "unknown"
