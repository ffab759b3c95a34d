import torch
from torch import nn


def conv_macs(size, c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1, transposed=False):
    kind = getattr(nn, f"Conv{'Transpose' if transposed else ''}{len(size)}d")
    layer = kind(c_in, c_out, kernel, stride, padding, dilation=dilation, groups=groups, device="meta")
    x = torch.empty(1, c_in, *size, device="meta")
    places = x if transposed else layer(x)
    return places[0, 0].numel() * layer.weight.numel()
