import torch
from torch import Tensor


def pool_intervals(depth: Tensor, features: Tensor, pixel: Tensor, cell: Tensor, cells: int) -> Tensor:
    """Interval by interval."""
    order = cell.argsort()
    counts = torch.bincount(cell[cell >= 0], minlength=cells).tolist()
    parts = order[int((cell < 0).sum()) :].split(counts)
    return torch.stack([(depth[part, None] * features[pixel[part]]).sum(0) for part in parts])
