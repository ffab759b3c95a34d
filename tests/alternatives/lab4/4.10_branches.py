"""The source row by `if`, and a mask from it."""

import triton
import triton.language as tl


@triton.jit
def shift_kernel(x_ptr, y_ptr, n_frames, channels, pixels, fold, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    channel = row % channels
    frame = (row // channels) % n_frames
    source, there = row, frame >= 0
    if channel < fold:
        source, there = row + channels, frame < n_frames - 1
    elif channel < 2 * fold:
        source, there = row - channels, frame > 0
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    value = tl.load(x_ptr + source * pixels + pixel, mask=(pixel < pixels) & there, other=0.0)
    tl.store(y_ptr + row * pixels + pixel, value, mask=pixel < pixels)
