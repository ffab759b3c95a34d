"""Values as bytes, between the grader and the box that runs a student's code.

A message is a length, a JSON header and a safetensors payload. Nothing is pickled in either direction, and a
reply larger than the limit is refused before it is read.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import IO, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from efficientlab.exercises.contract import Values

MAX_BYTES = 256_000_000
_LENGTHS = struct.Struct("<II")


def pack(header: dict[str, Any], values: Values | None = None) -> bytes:
    """One message: `header` must be JSON; tensors of `values` travel as safetensors, plain values in the header."""
    tensors, plain = {}, {}
    for key, value in (values or {}).items():
        if isinstance(value, torch.Tensor):
            # clone: outputs may share storage, which safetensors refuses
            tensors[key] = value.detach().clone(memory_format=torch.contiguous_format)
        else:
            plain[key] = value
    head = json.dumps({**header, "plain": plain}).encode()
    body = save(tensors)
    return _LENGTHS.pack(len(head), len(body)) + head + body


def send(stream: IO[bytes], header: dict[str, Any], values: Values | None = None) -> None:
    """Write one message and flush it."""
    stream.write(pack(header, values))
    stream.flush()


def receive(read: Callable[[int], bytes]) -> tuple[dict[str, Any], Values]:
    """Read one message with `read(n)`, which returns exactly n bytes or raises; `ValueError` if it is malformed."""
    head_size, body_size = _LENGTHS.unpack(read(_LENGTHS.size))
    if head_size + body_size > MAX_BYTES:
        raise ValueError(f"a message of {head_size + body_size} bytes is over the limit of {MAX_BYTES}")
    try:
        header = json.loads(read(head_size))
        values: Values = dict(load(read(body_size)))
        values.update(header.pop("plain", {}))
    except (KeyError, TypeError, AttributeError, RecursionError, SafetensorError) as error:
        raise ValueError(f"a message could not be read: {error}") from error
    return header, values
