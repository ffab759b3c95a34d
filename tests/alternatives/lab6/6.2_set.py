import torch


def downsample(coords, stride):
    """Python's // rounds down, and a set keeps each voxel once."""
    coarse = {(b, x // stride, y // stride, z // stride) for b, x, y, z in coords.tolist()}
    return torch.tensor(sorted(coarse), dtype=coords.dtype)
