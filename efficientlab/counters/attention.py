"""MACs of attention: the fused kernels, the transformer fast path, and causal masks.

Queries [N, h, L, d], keys [N, h, S, d] and values [N, h, S, e] form N·h·L·S pairs of a query and a key.
Forward: pairs·(d + e). Backward: pairs·(3·d + 2·e) in a fused kernel, which computes the scores again, and
pairs·(2·d + 2·e) in the `math` path, which kept them.

`is_causal=True` leaves query i with the keys 0 … min(i, S-1). Those pairs alone are counted, about half of
them all: the definition needs no more, and a fused kernel computes no more. The count is the same where torch
falls back to its dense `math` path or runs the fused fast path of nn.TransformerEncoder in evaluation (see
`causal.py`). A mask that is passed as a *tensor* alone, without is_causal, is counted dense.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor

from efficientlab.counters.formulas import mac_formula

FAST_PATH_IS_CAUSAL: ContextVar[bool] = ContextVar("fast_path_is_causal", default=False)
"""Whether the layer that now runs was told is_causal: its fused operator receives the mask alone."""


def causal_pairs(queries: int, keys: int) -> int:
    """Σ_i min(i + 1, keys) over the queries: the lower triangle, aligned at the upper left.

    >>> causal_pairs(4, 4), causal_pairs(2, 4), causal_pairs(4, 2)
    (10, 3, 7)
    """
    triangle = min(queries, keys)
    return triangle * (triangle + 1) // 2 + max(queries - keys, 0) * keys


def attention_macs(
    q: Sequence[int], k: Sequence[int], v: Sequence[int], causal: bool, backward: bool = False
) -> int:
    """MACs for shapes q[.., L, d], k[.., S, d], v[.., S, e]; leading dimensions are those of q."""
    *batch, queries, d = q
    keys, e = k[-2], v[-1]
    pairs = causal_pairs(queries, keys) if causal else queries * keys
    for n in batch:
        pairs *= n
    return pairs * (3 * d + 2 * e if backward else d + e)


def _argument(op: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Value of an operator's argument by name, for the overloads whose order differs between kernels."""
    if name in kwargs:
        return kwargs[name]
    for position, argument in enumerate(op.default._schema.arguments):
        if argument.name == name:
            return args[position] if position < len(args) else argument.default_value
    raise ValueError(f"{op} has no argument {name!r}")


def _register_fused(name: str, causal: str = "is_causal") -> None:
    op = getattr(torch.ops.aten, name, None)
    if op is None:
        return

    @mac_formula(name)
    def formula(*args: Any, result: Any, **kwargs: Any) -> int:
        q, k, v = (_argument(op, role, args, kwargs).shape for role in ("query", "key", "value"))
        return attention_macs(q, k, v, bool(_argument(op, causal, args, kwargs)), "backward" in name)


for _kernel in ("flash_attention", "efficient_attention", "cudnn_attention", "flash_attention_for_cpu"):
    _register_fused(f"_scaled_dot_product_{_kernel}")
    _register_fused(f"_scaled_dot_product_{_kernel}_backward")
for _kernel in ("fused_attention_overrideable", "fused_attention_overrideable_backward"):
    _register_fused(f"_scaled_dot_product_{_kernel}")


# ----------------------------------------------------------------- the fast path of nn.TransformerEncoder


def _token_lengths(x: Tensor) -> list[int]:
    """Length of each sequence of x[N, L, E], which may be a nested tensor of unequal lengths."""
    if x.is_nested:
        return [int(length) for length in x._nested_tensor_size()[:, 0]]
    return [x.shape[1]] * x.shape[0]


def _self_attention(x: Tensor, w_in: Tensor, w_out: Tensor) -> int:
    """Projections of all tokens with w_in[3E, E] and w_out[E, E], and 2·E MACs for each pair of tokens."""
    lengths = _token_lengths(x)
    causal = FAST_PATH_IS_CAUSAL.get()
    pairs = sum(causal_pairs(length, length) if causal else length * length for length in lengths)
    return sum(lengths) * (w_in.numel() + w_out.numel()) + pairs * 2 * w_out.shape[1]


@mac_formula("_native_multi_head_attention")
def _native_multi_head_attention(
    query: Tensor, key: Tensor, value: Tensor, embed_dim: int, heads: int, w_in: Tensor, b_in: Any,
    w_out: Tensor, *args: Any, result: Any, **kwargs: Any,
) -> int:  # fmt: skip
    """The fast path of nn.MultiheadAttention; torch takes it for self-attention alone."""
    return _self_attention(query, w_in, w_out)


@mac_formula("_transformer_encoder_layer_fwd")
def _transformer_encoder_layer(
    x: Tensor, embed_dim: int, heads: int, w_in: Tensor, b_in: Any, w_out: Tensor, b_out: Any, gelu: bool,
    norm_first: bool, eps: float, norm1_w: Any, norm1_b: Any, norm2_w: Any, norm2_b: Any,
    w_up: Tensor, b_up: Any, w_down: Tensor, *args: Any, result: Any, **kwargs: Any,
) -> int:  # fmt: skip
    """Self-attention and a two-layer MLP on every token, in one operator."""
    tokens = sum(_token_lengths(x))
    return _self_attention(x, w_in, w_out) + tokens * (w_up.numel() + w_down.numel())
