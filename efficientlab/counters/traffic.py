"""Bytes that an operator reads and writes, by the logical size of what it touches.

read: every distinct input once; the same elements in another order, or expanded (stride 0), are not distinct;
written: every output that is not a view of an input, and every argument that is modified in place.
Views, shape queries and uninitialised memory cost nothing; `zeros_like` and its kin read no element. Gathers read
what they gather (and the indices), not the whole source; in-place scatters touch what they scatter. A sparse
tensor is its values and indices.
This project's own kernels bring their own formula.

This is what the operator must move if each operand is read once and each result written once. Caches may
save some of it between operators, and a kernel that re-reads its operands moves more: a model, not a trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

_UNTOUCHED = {
    "empty",
    "empty_like",
    "empty_strided",
    "empty_permuted",
    "new_empty",
    "new_empty_strided",
    "resize_",
}
_SHAPES = {
    "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "randint_like", "new_zeros", "new_ones",
    "new_full", "fill", "copy", "normal_functional", "uniform", "random", "exponential", "cauchy", "geometric",
    "log_normal",
}  # fmt: skip
"""Argument 0 gives a shape and a dtype; its elements are not read."""
_WRITE_ONLY = {
    "zero_", "fill_", "copy_", "masked_fill_", "index_fill_", "_foreach_zero_", "_foreach_copy_", "normal_",
    "uniform_", "bernoulli_", "random_", "exponential_", "cauchy_", "geometric_", "log_normal_",
}  # fmt: skip
_GATHERS = {"index_select", "gather", "index", "take", "embedding", "_unsafe_index"}  # source is argument 0
_SCATTERS = {
    "index_add_", "index_copy_", "index_put_", "put_", "scatter_", "scatter_add_", "_index_put_impl_",
}  # fmt: skip
_READING_QUERIES = {"_local_scalar_dense", "equal", "allclose", "is_nonzero"}
_PLAIN = {Tensor, Parameter}
_BY_ROW = {torch.sparse_csr, torch.sparse_bsr}
_BY_COLUMN = {torch.sparse_csc, torch.sparse_bsc}


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Tensors among an operator's arguments or results, which nest in lists and tuples only."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors_in(item)


def is_fake(kind: type[Tensor]) -> bool:
    """Whether this is FakeTensor, which has a shape and no elements, and stands for a plain tensor."""
    return kind.__module__ == "torch._subclasses.fake_tensor"


def is_made_of_others(kind: type[Tensor]) -> bool:
    """Whether a subclass (jagged, distributed, quantised, ...) turns operators into others, on its parts."""
    return kind.__torch_dispatch__ is not Tensor.__torch_dispatch__ and not is_fake(kind)


def parts_of(x: Tensor) -> tuple[Tensor, ...]:
    """The tensors with memory of their own that x is made of: x, or the values and indices of a sparse x."""
    if type(x) not in _PLAIN and is_made_of_others(type(x)):
        if not is_traceable_wrapper_subclass(x):
            return ()  # it tells nothing about its parts
        return tuple(part for name in x.__tensor_flatten__()[0] for part in parts_of(getattr(x, name)))
    if x.layout is torch.strided:
        return (x,)
    if x.layout is torch.sparse_coo:
        return x._values(), x._indices()
    if x.layout in _BY_ROW:
        return x.values(), x.col_indices(), x.crow_indices()
    if x.layout in _BY_COLUMN:
        return x.values(), x.row_indices(), x.ccol_indices()
    return ()  # an opaque layout (oneDNN) tells nothing about its memory


def logical_bytes(x: Tensor) -> int:
    """Distinct elements of x times their size: a dimension expanded with stride 0 counts once."""
    total = 0
    for part in parts_of(x):
        elements = part.numel()
        if elements and not part.is_nested:
            for size, stride in zip(part.shape, part.stride(), strict=True):
                if stride == 0:
                    elements //= size
        total += elements * part.element_size()
    return total


def storages_of(x: Tensor) -> list[int]:
    return [part.untyped_storage()._cdata for part in parts_of(x)]


def _identity(x: Tensor) -> Any:
    """Equal for two tensors that are the same elements of the same memory, in any order."""
    if type(x) not in _PLAIN or x.layout is not torch.strided or x.is_nested:
        return id(x)
    strides = sorted(
        (step, size) for size, step in zip(x.shape, x.stride(), strict=True) if size > 1 and step
    )
    return x.untyped_storage()._cdata, x.storage_offset(), tuple(strides)


def distinct_bytes(tensors: Iterable[Tensor]) -> int:
    return sum(logical_bytes(x) for x in {_identity(x): x for x in tensors}.values())


@cache
def _written_arguments(op: torch._ops.OpOverload) -> tuple[tuple[int, str, bool], ...]:
    """Position and name of each argument that the schema marks as modified, and whether it is only written."""
    write_only = op._schema.name.rpartition("::")[2] in _WRITE_ONLY
    return tuple(
        (position, argument.name, argument.is_out or write_only)
        for position, argument in enumerate(op._schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    )


class Access(NamedTuple):
    """What one call of an operator touched."""

    inputs: list[Tensor]
    reads: list[Tensor]  # inputs whose elements it read
    fresh: list[Tensor]  # results with memory of their own
    modified: list[Tensor]  # arguments written in place
    filled: bool  # False: the fresh results are uninitialised
    bytes_read: int
    bytes_written: int


def access(op: torch._ops.OpOverload, args: Sequence[Any], kwargs: dict[str, Any], out: Any) -> Access:
    """What one call of an operator touched, by the rules in this module's docstring."""
    name = op._schema.name.rpartition("::")[2]
    inputs = [*tensors_in(args), *tensors_in(list(kwargs.values()))]
    known = {storage for x in inputs for storage in storages_of(x)}
    results = list(tensors_in(out))
    fresh = [x for x in results if known.isdisjoint(storages_of(x)[:1])]  # the values; indices may be shared
    modified, overwritten = [], set()
    for position, argument, write_only in _written_arguments(op):
        targets = list(tensors_in(args[position] if position < len(args) else kwargs.get(argument)))
        modified += targets
        overwritten |= {id(x) for x in targets if write_only}
    reads, read, written = inputs, 0, distinct_bytes([*fresh, *modified])
    if name in _UNTOUCHED:
        reads, written = [], 0
    elif not fresh and not modified:  # a view, or a query whose answer is no tensor
        reads = inputs if name in _READING_QUERIES else []
        read = inputs[0].element_size() if name == "_local_scalar_dense" else distinct_bytes(reads)
    elif op.namespace == "efficientlab":
        moved = _registered_bytes(op, args, kwargs, out)
        read = distinct_bytes(inputs) if moved is None else moved - written
    elif op.namespace == "aten" and name in _GATHERS:
        read = written + distinct_bytes(inputs[1:])
    elif op.namespace == "aten" and name in _SCATTERS:
        target, *reads = inputs
        written = max(x.numel() for x in reads) * target.element_size()
        adds = "add" in name or any(argument is True for argument in args[3:])  # index_put_(.., accumulate)
        read = distinct_bytes(reads) + adds * written
    else:
        gives_shape = name in _SHAPES or op is torch.ops.aten.bernoulli.p
        reads = [x for x in inputs[gives_shape:] if id(x) not in overwritten]
        read = distinct_bytes(reads)
    return Access(inputs, reads, fresh, modified, name not in _UNTOUCHED, read, written)


def _registered_bytes(
    op: torch._ops.OpOverload, args: Sequence[Any], kwargs: dict[str, Any], out: Any
) -> int | None:
    """Bytes that one of this project's kernels says it moves, None if it says nothing."""
    from efficientlab.kernels.backend import BYTES

    formula = BYTES.get(op.overloadpacket)
    return None if formula is None else formula(*args, **kwargs, out=out)
