"""a row is taken to have BLOCK numbers: it has `pixels`."""

from efficientlab.exercises.kernel_corner import tl, triton  # Triton itself, where it is installed


@triton.jit
def activation_kernel(x_ptr, scale_ptr, shift_ptr, y_ptr, channels, pixels, BLOCK: tl.constexpr):
    """One program writes BLOCK numbers of one row (one channel of one image) of y."""
    row = tl.program_id(0)
    channel = row % channels
    scale = tl.load(scale_ptr + channel)
    shift = tl.load(shift_ptr + channel)
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    valid = pixel < pixels
    value = tl.load(x_ptr + row * BLOCK + pixel, mask=valid)
    tl.store(y_ptr + row * BLOCK + pixel, tl.maximum(value * scale + shift, 0.0), mask=valid)
