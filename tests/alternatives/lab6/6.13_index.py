def slice_joined(weight, up, skip, up_max, out):
    """The rows by their numbers."""
    rows = [*range(up), *range(up_max, up_max + skip)]
    return weight[:, rows][:, :, range(out)]
