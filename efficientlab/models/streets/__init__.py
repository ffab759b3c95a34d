"""Networks that look at streets: at the points of a LiDAR alone, or through cameras as well."""
