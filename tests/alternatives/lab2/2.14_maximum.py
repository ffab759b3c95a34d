"""The leaky ReLU as a maximum; the gain goes into both slopes."""

import triton
import triton.language as tl


@triton.jit
def epilogue_kernel(x_ptr, y_ptr, energy_ptr, bias_ptr, channels, pixels, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    place = row * pixels + tl.arange(0, BLOCK)
    inside = tl.arange(0, BLOCK) < pixels
    root = tl.sqrt(tl.load(energy_ptr + row) + 1e-8)
    bias = tl.load(bias_ptr + row - row // channels * channels)
    u = 1.4142135623730951 * (tl.load(x_ptr + place, mask=inside) / root + bias)
    tl.store(y_ptr + place, tl.maximum(u, 0.2 * u), mask=inside)
