"""Branches instead of arithmetic: one load for each case, selected afterwards."""

import triton
import triton.language as tl


@triton.jit
def shift_kernel(x_ptr, y_ptr, n_frames, channels, pixels, fold, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = row % channels
    t = (row // channels) % n_frames
    offset = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    mask = offset < pixels
    future = (c < fold) & (t + 1 < n_frames)
    past = (c >= fold) & (c < 2 * fold) & (t > 0)
    stay = c >= 2 * fold
    here = x_ptr + row * pixels + offset
    a = tl.load(here + channels * pixels, mask=mask & future, other=0.0)
    b = tl.load(here - channels * pixels, mask=mask & past, other=0.0)
    d = tl.load(here, mask=mask & stay, other=0.0)
    tl.store(y_ptr + row * pixels + offset, a + b + d, mask=mask)
