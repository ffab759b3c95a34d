"""the load has a mask and no `other=`: what stands beyond the row is undefined, and it goes into the sum."""

from efficientlab.exercises.kernel_corner import tl, triton  # Triton itself, where it is installed


@triton.jit
def norm_relu_kernel(x_ptr, y_ptr, weight_ptr, bias_ptr, channels, pixels, eps, BLOCK: tl.constexpr):
    """One program normalises one row (one channel of one picture), scales, shifts and clips it."""
    row = tl.program_id(0)
    channel = row % channels
    pixel = tl.arange(0, BLOCK)
    valid = pixel < pixels
    x = tl.load(x_ptr + row * pixels + pixel, mask=valid)
    mean = tl.sum(x, 0) / pixels
    centred = tl.where(valid, x - mean, 0.0)
    variance = tl.sum(centred * centred, 0) / pixels
    scale = tl.load(weight_ptr + channel) / tl.sqrt(variance + eps)
    y = centred * scale + tl.load(bias_ptr + channel)
    y = tl.where(y < 0, 0.0, y)  # what tl.maximum makes of a NaN depends on Triton's release
    tl.store(y_ptr + row * pixels + pixel, y, mask=valid)
