"""frames leak from one clip into the next: a frame's place in its clip is its number modulo n_frames."""

import triton
import triton.language as tl


@triton.jit
def shift_kernel(x_ptr, y_ptr, n_frames, channels, pixels, fold, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    channel = row % channels
    frame = row // channels
    step = tl.where(channel < fold, 1, tl.where(channel < 2 * fold, -1, 0))
    source = frame + step
    inside = (row // channels + step >= 0) & ((row // channels + step) < tl.num_programs(0) // channels)
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    valid = pixel < pixels
    value = tl.load(x_ptr + (row + step * channels) * pixels + pixel, mask=valid & inside, other=0.0)
    tl.store(y_ptr + row * pixels + pixel, value, mask=valid)
