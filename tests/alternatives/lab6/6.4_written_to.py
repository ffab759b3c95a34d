import torch
from torch import Tensor


def sparse_conv(x: Tensor, weight: Tensor, pairs: list[Tensor], outputs: int) -> Tensor:
    y = torch.zeros((outputs, weight.shape[-1]), dtype=x.dtype, device=x.device)
    for k in range(len(pairs)):
        if len(pairs[k]):
            y[pairs[k][:, 1]] += x[pairs[k][:, 0]] @ weight[k]
    return y
