"""The mean of `scatter_reduce`."""


def avg_voxelize(features, coords, resolution):
    n, c, _ = features.shape
    x, y, z = coords.round().long().unbind(1)
    voxel = ((x * resolution + y) * resolution + z)[:, None].expand(-1, c, -1)
    empty = features.new_zeros(n, c, resolution**3)
    return empty.scatter_reduce(2, voxel, features, "mean", include_self=False).view(n, c, *3 * [resolution])
