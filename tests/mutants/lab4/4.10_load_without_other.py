"""the load has a mask and no `other=`: the zeros at the ends of a clip are undefined."""

from efficientlab.exercises.kernel_corner import tl, triton  # Triton itself, where it is installed


@triton.jit
def shift_kernel(x_ptr, y_ptr, n_frames, channels, pixels, fold, BLOCK: tl.constexpr):
    """One program writes BLOCK numbers of one row (one channel of one frame) of y."""
    row = tl.program_id(0)
    channel = row % channels
    frame = (row // channels) % n_frames
    step = tl.where(channel < fold, 1, tl.where(channel < 2 * fold, -1, 0))
    source = frame + step
    inside = (source >= 0) & (source < n_frames)
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    valid = pixel < pixels
    value = tl.load(x_ptr + (row + step * channels) * pixels + pixel, mask=valid & inside)
    tl.store(y_ptr + row * pixels + pixel, value, mask=valid)
