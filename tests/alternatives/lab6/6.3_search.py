import torch

from efficientlab import kernels


def kernel_map(coords, out_coords, kernel_size, stride):
    """Each voxel as one number, sorted, and a binary search."""
    low = coords[:, 1:].amin(0) - 8
    size = coords[:, 1:].amax(0) - low + 9

    def key(b, xyz):
        i, j, k = (xyz - low).unbind(1)
        return ((b * size[0] + i) * size[1] + j) * size[2] + k

    keys, order = key(coords[:, 0], coords[:, 1:]).sort()
    pairs = []
    for offset in kernels.kernel_offsets(kernel_size):
        wanted = key(out_coords[:, 0], out_coords[:, 1:] * stride + torch.tensor(offset))
        place = torch.searchsorted(keys, wanted).clamp_max(len(keys) - 1)
        hit = (keys[place] == wanted).nonzero()[:, 0]
        pairs.append(torch.stack([order[place[hit]], hit], 1))
    return pairs
