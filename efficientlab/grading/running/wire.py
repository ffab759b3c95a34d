"""Values as bytes, between the grader and the box that runs a student's code.

A message is two lengths, a JSON header and the arrays' bytes. Nothing is pickled in either direction. What comes
out of a box is believed to be hostile: every length, name, type and shape is bounded and checked before memory is
taken for it, and an array becomes a plain contiguous `torch.Tensor`, whatever class it had inside.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from typing import Any

import torch

from efficientlab.exercises.contract import Values

MAX_BYTES = 256_000_000  # arrays of one message
MAX_HEADER = 1_000_000
MAX_ARRAYS = 4_096
MAX_DIMENSIONS = 16
MAX_TEXT = 100_000
MAX_DIGITS = 100  # of an integer: counts of operations are large, but not that large

_LENGTHS = struct.Struct("<QQ")
_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128),
    )
}


def pack(header: dict[str, Any], values: Values | None = None, limit: int = MAX_BYTES) -> bytes:
    """One message: `header` must be JSON; tensors of `values` travel as bytes, plain values in the header.

    `TypeError` or `ValueError` says in one sentence which value cannot travel.
    """
    arrays: list[tuple[str, str, list[int]]] = []
    plain: dict[str, int | float | bool | str] = {}
    parts: list[bytes] = []
    total = 0
    for key, value in (values or {}).items():
        if isinstance(value, torch.Tensor):
            # before any copy: a view can be far larger than memory
            total += value.numel() * value.element_size()
            if total > limit:
                raise ValueError(f"the output {key!r} has shape {tuple(value.shape)}: over {limit:,} bytes")
            dtype = str(value.dtype).removeprefix("torch.")
            if dtype not in _DTYPES or value.layout != torch.strided or value.is_quantized:
                raise TypeError(f"the output {key!r} is a {value.layout} tensor of {dtype}; give a dense one")
            arrays.append((str(key), dtype, list(value.shape)))
            parts.append(_bytes_of(value))
        elif isinstance(value, bool | int | float | str):
            plain[str(key)] = value
        else:
            raise TypeError(
                f"the output {key!r} is {type(value).__name__}, neither a tensor nor a plain value"
            )
    head = json.dumps({**header, "arrays": arrays, "plain": plain}).encode()
    if len(head) > MAX_HEADER and values is not None:
        raise ValueError(f"the outputs' names and plain values take {len(head):,} bytes; {MAX_HEADER:,} may")
    return b"".join([_LENGTHS.pack(len(head), sum(map(len, parts))), head, *parts])


def receive(
    read: Callable[[int], bytearray], limit: int = MAX_BYTES, header_limit: int = MAX_HEADER
) -> tuple[dict[str, Any], Values]:
    """Read one message with `read(n)`, which returns exactly n bytes or raises; `ValueError` if it is malformed."""
    head_size, body_size = _LENGTHS.unpack(read(_LENGTHS.size))
    if head_size > header_limit or body_size > limit:
        size = max(head_size, body_size)
        raise ValueError(f"a message of {size} bytes is over the limit of {max(limit, header_limit)}")
    header = _header(read(head_size))
    arrays = _arrays(header.pop("arrays", None), body_size)
    values: Values = {}
    for key, dtype, shape, size in arrays:
        values[key] = _tensor(read(size), dtype, shape)
    for key, value in _plain(header.pop("plain", None)).items():
        if key in values:
            raise ValueError(f"a message has two values of the name {key[:80]!r}")
        values[key] = value
    return header, values


def _bytes_of(value: torch.Tensor) -> bytes:
    dense = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
    return bytes(dense.reshape(-1).view(torch.uint8).numpy())


def _header(data: bytearray) -> dict[str, Any]:
    try:
        header = json.loads(data, parse_int=_integer)
        if b"\\u" in data:  # half of a surrogate pair is no text, and no file would take it
            header = json.loads(json.dumps(header, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"a message could not be read: {str(error)[:200]}") from None
    if not isinstance(header, dict):
        raise ValueError("a message could not be read: its header is no JSON object")
    return header


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits; {MAX_DIGITS} may be")
    return int(digits)


def _arrays(entries: Any, body_size: int) -> list[tuple[str, torch.dtype, tuple[int, ...], int]]:
    """The announced arrays as (name, dtype, shape, bytes); their sizes must add up to the message's."""
    if not isinstance(entries, list) or len(entries) > MAX_ARRAYS:
        raise ValueError(f"a message could not be read: it must list at most {MAX_ARRAYS} arrays")
    arrays: dict[str, tuple[torch.dtype, tuple[int, ...], int]] = {}
    for entry in entries:
        if not isinstance(entry, list) or len(entry) != 3:
            raise ValueError("a message could not be read: an array is announced as [name, dtype, shape]")
        name, dtype, shape = entry
        if not isinstance(name, str) or len(name) > MAX_TEXT or name in arrays:
            raise ValueError("a message could not be read: an array's name is missing, too long or taken")
        if not isinstance(dtype, str) or dtype not in _DTYPES:
            raise ValueError(f"a message could not be read: {str(dtype)[:80]!r} is no dtype")
        if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
            raise ValueError(f"a message could not be read: a shape has at most {MAX_DIMENSIONS} dimensions")
        if any(type(n) is not int or not 0 <= n < 2**62 for n in shape):
            raise ValueError("a message could not be read: a shape is made of sizes from 0")
        if math.prod(n for n in shape if n) >= 2**62:  # torch's strides must not overflow beside a size of 0
            raise ValueError("a message could not be read: a shape is too large")
        size = math.prod(shape) * _DTYPES[dtype].itemsize
        arrays[name] = (_DTYPES[dtype], tuple(shape), size)
    if sum(size for _, _, size in arrays.values()) != body_size:
        raise ValueError("a message could not be read: its arrays are not as long as announced")
    return [(name, *rest) for name, rest in arrays.items()]


def _tensor(data: bytearray, dtype: torch.dtype, shape: tuple[int, ...]) -> torch.Tensor:
    if not data:
        return torch.empty(shape, dtype=dtype)
    if dtype == torch.bool:  # a byte that is neither 0 nor 1 would be neither true nor false
        return (torch.frombuffer(data, dtype=torch.uint8) != 0).reshape(shape)
    return torch.frombuffer(data, dtype=dtype).reshape(shape)


def _plain(values: Any) -> dict[str, int | float | bool | str]:
    if not isinstance(values, dict):
        raise ValueError("a message could not be read: it has no plain values")
    for key, value in values.items():
        if not isinstance(value, bool | int | float | str):
            raise ValueError(f"a message has a value of type {type(value).__name__} named {key[:80]!r}")
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise ValueError(f"a message has a text of {len(value)} characters; {MAX_TEXT} may be")
    return values
