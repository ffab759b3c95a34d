import torch
from torch import Tensor


def lift(logits: Tensor, depths: int) -> tuple[Tensor, Tensor]:
    """The softmax written out, and the product by einsum."""
    raw, features = logits.split([depths, logits.shape[1] - depths], 1)
    weight = (raw - raw.amax(1, keepdim=True)).exp()
    depth = weight / weight.sum(1, keepdim=True)
    return depth, torch.einsum("ndhw,nchw->ndchw", depth, features)
