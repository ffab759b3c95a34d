import torch


def morton_order(coords):
    """The binary digits as text, interleaved; equal lengths sort as numbers do."""
    shifted = (coords[:, 1:] - coords[:, 1:].min(0).values).tolist()
    keys = []
    for b, digits in zip(coords[:, 0].tolist(), ([f"{n:016b}" for n in xyz] for xyz in shifted), strict=True):
        keys.append((b, "".join(a + c + d for a, c, d in zip(*digits, strict=True))))
    return torch.tensor(sorted(range(len(keys)), key=keys.__getitem__))
