"""the frame's number was not taken modulo n_frames: behind the first clip every frame counts as beyond the end."""

import triton
import triton.language as tl


@triton.jit
def shift_kernel(x_ptr, y_ptr, n_frames, channels, pixels, fold, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    channel = row % channels
    step = tl.where(channel < fold, 1, tl.where(channel < 2 * fold, -1, 0))
    source = row // channels + step
    inside = (source >= 0) & (source < n_frames)
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    valid = pixel < pixels
    value = tl.load(x_ptr + (row + step * channels) * pixels + pixel, mask=valid & inside, other=0.0)
    tl.store(y_ptr + row * pixels + pixel, value, mask=valid)
