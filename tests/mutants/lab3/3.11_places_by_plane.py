"""the four numbers are looked up by plane: all channels of a picture share them."""

import triton
import triton.language as tl


@triton.jit
def augment_kernel(
    x_ptr, y_ptr, places_ptr, channels, height, width, cut_height, cut_width, BLOCK: tl.constexpr
):
    plane = tl.program_id(0)
    places = places_ptr + 4 * (plane % tl.cdiv(tl.num_programs(0), channels))
    u, v = tl.load(places), tl.load(places + 1)
    top, left = tl.load(places + 2), tl.load(places + 3)
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    i, j = pixel // width, pixel % width
    from_i, from_j = i + u, j + v
    hole = (i >= top) & (i < top + cut_height) & (j >= left) & (j < left + cut_width)
    inside = (from_i >= 0) & (from_i < height) & (from_j >= 0) & (from_j < width)
    valid = pixel < height * width
    start = plane * height * width
    value = tl.load(x_ptr + start + from_i * width + from_j, mask=valid & inside & (hole == 0), other=0.0)
    tl.store(y_ptr + start + pixel, value, mask=valid)
