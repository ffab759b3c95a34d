"""Count causal attention as causal when torch computes it with dense products.

`F.scaled_dot_product_attention(..., is_causal=True)` runs a fused kernel where there is one. Elsewhere (meta
tensors, dropout on a CPU, 3-dimensional inputs) torch multiplies all pairs and masks half of them away, and
the operators that the counter sees no longer know about the mask. So while a count runs, this one function
of torch.nn.functional is wrapped, also where a file of the model has imported it by name or a module keeps it as
an attribute: it notes which fraction of the pairs the mask leaves, for the products inside the call and for their
gradients, and then calls the original.

In evaluation, nn.MultiheadAttention and nn.TransformerEncoderLayer hand a whole layer to one fused operator,
and with it the mask, but not the flag `is_causal`. Their `forward` is therefore wrapped as well: it notes the
flag where the unfused layer would pass it on, which is without a padding mask and without weights to return.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.counters.attention import FAST_PATH_IS_CAUSAL, causal_pairs

DENSE = Fraction(1)


@contextmanager
def causal_attention(
    enter: Callable[[Fraction], None], namespaces: Iterable[dict[str, Any]] = ()
) -> Iterator[None]:
    """While active, `enter(fraction)` is called before each causal attention and `enter(DENSE)` after it.

    Args:
        namespaces: the globals of files that may have imported the function by name, objects' attributes.
    """
    original = F.scaled_dot_product_attention
    of_attention, of_layer = nn.MultiheadAttention.forward, nn.TransformerEncoderLayer.forward

    def attention(
        query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
        is_causal: bool = False, **kwargs: Any,
    ) -> Tensor:  # fmt: skip
        if _is_upper_left(attn_mask):
            attn_mask, is_causal = None, True  # as torch itself does with such a mask
        if query.is_nested:  # a jagged one runs a fused kernel or none
            return original(query, key, value, attn_mask, dropout_p, is_causal, **kwargs)
        if torch.overrides.has_torch_function((query, key, value, attn_mask)):
            F.scaled_dot_product_attention = original  # a subclass asks whether it is called for this one
            try:
                return original(query, key, value, attn_mask, dropout_p, is_causal, **kwargs)
            finally:
                F.scaled_dot_product_attention = attention  # type: ignore[assignment]
        if not is_causal:
            return original(query, key, value, attn_mask, dropout_p, is_causal, **kwargs)
        pairs = query.shape[-2] * key.shape[-2]
        enter(Fraction(causal_pairs(query.shape[-2], key.shape[-2]), pairs) if pairs else DENSE)
        try:
            return original(query, key, value, attn_mask, dropout_p, is_causal, **kwargs)
        finally:
            enter(DENSE)

    def multihead(
        self: nn.MultiheadAttention, query: Tensor, key: Tensor, value: Tensor,
        key_padding_mask: Tensor | None = None, need_weights: bool = True, attn_mask: Tensor | None = None,
        average_attn_weights: bool = True, is_causal: bool = False,
    ) -> Any:  # fmt: skip
        with _noted(is_causal and key_padding_mask is None and not need_weights):
            return of_attention(
                self, query, key, value, key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal
            )  # fmt: skip

    def layer(
        self: nn.TransformerEncoderLayer, src: Tensor, src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None, is_causal: bool = False,
    ) -> Any:  # fmt: skip
        with _noted(is_causal and src_key_padding_mask is None):
            return of_layer(self, src, src_mask, src_key_padding_mask, is_causal)

    imported = [
        (space, name) for space in namespaces for name, value in list(space.items()) if value is original
    ]
    F.scaled_dot_product_attention = attention  # type: ignore[assignment]
    for space, name in imported:
        space[name] = attention
    nn.MultiheadAttention.forward, nn.TransformerEncoderLayer.forward = multihead, layer  # type: ignore[method-assign]
    try:
        yield
    finally:
        F.scaled_dot_product_attention = original
        for space, name in imported:
            space[name] = original
        nn.MultiheadAttention.forward = of_attention  # type: ignore[method-assign]
        nn.TransformerEncoderLayer.forward = of_layer  # type: ignore[method-assign]


def _is_upper_left(mask: object) -> bool:
    """Whether this is torch.nn.attention.bias.causal_upper_left's, or square, where both corners are one."""
    bias = sys.modules.get("torch.nn.attention.bias")
    if bias is None or not isinstance(mask, bias.CausalBias):
        return False
    return mask.variant == bias.CausalVariant.UPPER_LEFT or mask.seq_len_q == mask.seq_len_kv


@contextmanager
def _noted(causal: bool) -> Iterator[None]:
    token = FAST_PATH_IS_CAUSAL.set(causal)
    try:
        yield
    finally:
        FAST_PATH_IS_CAUSAL.reset(token)
