import triton
import triton.language as tl


@triton.jit
def activation_kernel(x_ptr, scale_ptr, shift_ptr, y_ptr, channels, pixels, BLOCK: tl.constexpr):
    start = tl.program_id(0) * pixels
    channel = tl.program_id(0) - channels * (tl.program_id(0) // channels)
    at = BLOCK * tl.program_id(1) + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + start + at, mask=at < pixels, other=0.0)
    z = tl.load(scale_ptr + channel) * x + tl.load(shift_ptr + channel)
    tl.store(y_ptr + start + at, tl.where(z > 0, z, 0.0), mask=at < pixels)
