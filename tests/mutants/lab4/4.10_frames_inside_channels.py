"""the rows were counted with the frames inside the channels: of (N·T, C, H, W) the channel changes first."""

import triton
import triton.language as tl


@triton.jit
def shift_kernel(x_ptr, y_ptr, n_frames, channels, pixels, fold, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    channel = (row // n_frames) % channels
    step = tl.where(channel < fold, 1, tl.where(channel < 2 * fold, -1, 0))
    source = row % n_frames + step
    inside = (source >= 0) & (source < n_frames)
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    valid = pixel < pixels
    value = tl.load(x_ptr + (row + step) * pixels + pixel, mask=valid & inside, other=0.0)
    tl.store(y_ptr + row * pixels + pixel, value, mask=valid)
