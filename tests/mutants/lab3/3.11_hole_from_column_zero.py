"""a hole that begins left of the picture is moved inside: its first column may be negative, as its first row."""

from efficientlab.exercises.kernel_corner import tl, triton  # Triton itself, where it is installed


@triton.jit
def augment_kernel(
    x_ptr, y_ptr, places_ptr, channels, height, width, cut_height, cut_width, BLOCK: tl.constexpr
):
    """One program writes BLOCK numbers of one plane (one channel of one picture) of y."""
    plane = tl.program_id(0)
    places = places_ptr + 4 * (plane // channels)
    u, v = tl.load(places), tl.load(places + 1)
    top, left = tl.load(places + 2), tl.load(places + 3)
    left = tl.maximum(left, 0)
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    i, j = pixel // width, pixel % width
    hole = (i >= top) & (i < top + cut_height) & (j >= left) & (j < left + cut_width)
    from_i, from_j = i + u, j + v
    inside = (from_i >= 0) & (from_i < height) & (from_j >= 0) & (from_j < width)
    valid = pixel < height * width
    start = plane * height * width
    source = x_ptr + start + from_i * width + from_j
    value = tl.load(source, mask=valid & inside & (hole == 0), other=0.0)
    tl.store(y_ptr + start + pixel, value, mask=valid)
