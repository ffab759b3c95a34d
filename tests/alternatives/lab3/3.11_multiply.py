"""A multiplication by what is kept, and offsets counted from the picture."""

import triton
import triton.language as tl


@triton.jit
def augment_kernel(
    x_ptr, y_ptr, places_ptr, channels, height, width, cut_height, cut_width, BLOCK: tl.constexpr
):
    plane = tl.program_id(0)
    n = plane // channels
    offsets = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    row = offsets // width
    column = offsets - row * width
    source_row = row + tl.load(places_ptr + n * 4)
    source_column = column + tl.load(places_ptr + n * 4 + 1)
    below = row - tl.load(places_ptr + n * 4 + 2)
    right = column - tl.load(places_ptr + n * 4 + 3)
    kept = tl.where((below >= 0) & (below < cut_height) & (right >= 0) & (right < cut_width), 0.0, 1.0)
    in_rows = (source_row >= 0) & (source_row < height)
    in_columns = (source_column >= 0) & (source_column < width)
    base = plane * height * width
    values = tl.load(
        x_ptr + base + source_row * width + source_column,
        mask=in_rows & in_columns & (offsets < height * width),
        other=0.0,
    )
    tl.store(y_ptr + base + offsets, values * kept, mask=offsets < height * width)
