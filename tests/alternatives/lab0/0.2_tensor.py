"""a tensor of one number."""

import torch


def conv_macs(size, c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1, transposed=False):
    lengths, taps = torch.tensor(size), torch.tensor(kernel)
    places = (lengths + 2 * padding - dilation * (taps - 1) - 1) // stride + 1
    return (lengths if transposed else places).prod() * c_out * (c_in // groups) * taps.prod()
