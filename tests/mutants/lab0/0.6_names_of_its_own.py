"""the names are not those of `OPS`."""

memory_bound = {"relu": True, "add": True, "depthwise": True, "1x1": False, "3x3": False}
