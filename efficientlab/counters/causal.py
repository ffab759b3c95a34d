"""Count causal attention as causal when torch computes it with dense products.

`F.scaled_dot_product_attention(..., is_causal=True)` runs a fused kernel where there is one. Elsewhere (meta
tensors, dropout on a CPU, 3-dimensional inputs) torch multiplies all pairs and masks half of them away, and
the operators that the counter sees no longer know about the mask. So while a count runs, this one function
of torch.nn.functional is wrapped: it notes which fraction of the pairs the mask leaves, for the products
inside the call and for their gradients, and then calls the original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from efficientlab.counters.attention import causal_pairs

DENSE = Fraction(1)


@contextmanager
def causal_attention(enter: Callable[[Fraction], None]) -> Iterator[None]:
    """While active, `enter(fraction)` is called before each causal attention and `enter(DENSE)` after it."""
    original = F.scaled_dot_product_attention

    def attention(
        query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
        is_causal: bool = False, **kwargs: Any,
    ) -> Tensor:  # fmt: skip
        if not is_causal:
            return original(query, key, value, attn_mask, dropout_p, is_causal, **kwargs)
        pairs = query.shape[-2] * key.shape[-2]
        enter(Fraction(causal_pairs(query.shape[-2], key.shape[-2]), pairs) if pairs else DENSE)
        try:
            return original(query, key, value, attn_mask, dropout_p, is_causal, **kwargs)
        finally:
            enter(DENSE)

    F.scaled_dot_product_attention = attention  # type: ignore[assignment]
    try:
        yield
    finally:
        F.scaled_dot_product_attention = original
