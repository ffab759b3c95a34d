import torch
from torch import Tensor


def pool_intervals(depth: Tensor, features: Tensor, pixel: Tensor, cell: Tensor, cells: int) -> Tensor:
    """The same sums by adding rows, with a row for the points outside."""
    rows = depth[:, None] * features[pixel]
    target = torch.where(cell < 0, cells, cell)
    return rows.new_zeros(cells + 1, rows.shape[1]).index_add(0, target, rows)[:-1]
