"""The best sparse convolutions elsewhere, as contestants of benchmarks/kernels.py.

On a CPU the rival is spconv 2.3.8, whose wheel for CPUs is

    pip install --no-deps --target RIVALS spconv==2.3.8 cumm==0.7.11 pccm ccimport pybind11 lark fire \\
        portalocker ninja termcolor

and on CUDA spconv-triton 1.0.0,

    pip install --no-deps --target RIVALS spconv-triton==1.0.0

run as PYTHONPATH=RIVALS python benchmarks/kernels.py. Without its rival a row is left out or has another baseline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from kernels_row import backward_of
from torch import Tensor

SUBMANIFOLD = {  # of spconv's own argument names
    "ksize": [3] * 3,
    "stride": [1] * 3,
    "padding": [1] * 3,
    "dilation": [1] * 3,
    "out_padding": [0] * 3,
    "subm": True,
}


def find_rival(coords: Tensor) -> Spconv | SpconvTriton | None:
    """The rival on the device of these voxels (V, 4); None, and a word about it, where it is not installed."""
    rival: type[Spconv | SpconvTriton] = SpconvTriton if coords.is_cuda else Spconv
    try:
        return rival(coords)
    except ImportError:
        print(f"{rival.name} is not installed: its rows are left out")
        return None


def kernel_of(weight: Tensor) -> Tensor:
    """Our weight (27, C, D) as spconv keeps it: (D, 3, 3, 3, C)."""
    return weight.permute(2, 0, 1).unflatten(1, (3, 3, 3)).contiguous()


class Spconv:
    """spconv's own map, forward and backward, called without its modules' overhead."""

    name = "spconv"

    def __init__(self, coords: Tensor) -> None:
        from spconv.core import ConvAlgo
        from spconv.pytorch import ops

        ops.get_current_stream = lambda: 0  # its backward asks for a CUDA stream on a CPU, too
        self.ops, self.algorithm, self.coords = ops, ConvAlgo.Native, coords
        self.size = (coords.amax(0)[1:] + 1).tolist()

    def map(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.ops.get_indice_pairs(self.coords, 1, self.size, self.algorithm, **SUBMANIFOLD)

    def passes(self, x: Tensor, weight: Tensor) -> tuple[Callable[[], Tensor], Callable[[], object]]:
        """A convolution of x (V, C), and its backward pass to both operands."""
        _, pairs, counts = self.map()
        kernel = kernel_of(weight)
        grad = x.new_empty(len(x), weight.shape[2]).normal_()
        how = {"inverse": False, "subm": True, "algo": self.algorithm}

        def forward() -> Tensor:
            return self.ops.indice_conv(x, kernel, pairs, counts, len(x), **how)

        def backward() -> object:
            return self.ops.indice_conv_backward(x, kernel, grad, pairs, counts, **how)

        return forward, backward


class SpconvTriton:
    """spconv-triton's map and its module, whose map is made once."""

    name = "spconv-triton"

    def __init__(self, coords: Tensor) -> None:
        import spconv_triton.pytorch as spconv
        from spconv_triton.core import ConvAlgo
        from spconv_triton.pytorch import ops

        self.spconv, self.ops, self.algorithm, self.coords = spconv, ops, ConvAlgo.MaskImplicitGemm, coords
        self.size = (coords.amax(0)[1:] + 1).tolist()

    def map(self) -> Any:
        return self.ops.get_indice_pairs_implicit_gemm(
            self.coords, 1, self.size, self.algorithm, **SUBMANIFOLD
        )

    def passes(self, x: Tensor, weight: Tensor) -> tuple[Callable[[], Tensor], Callable[[], object]]:
        """A convolution of x (V, C), and its backward pass to both operands."""
        module = self.spconv.SubMConv3d(*weight.shape[1:], 3, bias=False, indice_key="map").to(x)
        voxels = self.spconv.SparseConvTensor(x, self.coords, self.size, batch_size=1)
        voxels = voxels.replace_feature(x)
        voxels.indice_dict = module(voxels).indice_dict

        def convolve(x: Tensor, kernel: Tensor) -> Tensor:
            return torch.func.functional_call(module, {"weight": kernel}, voxels.replace_feature(x)).features

        kernel = kernel_of(weight)
        return lambda: convolve(x, kernel), backward_of(convolve, x, kernel)
