"""the largest product of a cell is taken, not the sum."""

from torch import Tensor


def pool_intervals(depth: Tensor, features: Tensor, pixel: Tensor, cell: Tensor, cells: int) -> Tensor:
    order = cell.argsort(stable=True)
    order = order[cell[order] >= 0]  # the points inside, cell by cell
    rows = depth[order, None] * features[pixel[order]]
    index = cell[order, None].expand_as(rows)
    return rows.new_zeros(cells, rows.shape[1]).scatter_reduce(0, index, rows, "amax", include_self=False)
