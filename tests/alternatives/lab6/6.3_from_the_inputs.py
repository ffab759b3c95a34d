import torch

from efficientlab import kernels


def kernel_map(coords, out_coords, kernel_size, stride):
    """Walks over the inputs: which output, if any, reaches this one by this offset?"""
    outputs = {tuple(voxel): o for o, voxel in enumerate(out_coords.tolist())}
    pairs = []
    for offset in kernels.kernel_offsets(kernel_size):
        found = []
        for i, (cloud, *place) in enumerate(coords.tolist()):
            ends = [divmod(a - d, stride) for a, d in zip(place, offset, strict=True)]
            key = (cloud, *(end for end, _ in ends))
            if not any(rest for _, rest in ends) and key in outputs:
                found.append([i, outputs[key]])
        pairs.append(torch.tensor(found, dtype=torch.int64).view(-1, 2))
    return pairs
