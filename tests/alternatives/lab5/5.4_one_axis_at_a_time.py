import torch


def trilinear_devoxelize(voxels, coords):
    answers = []
    for grid, place in zip(voxels, coords, strict=True):
        low = place.floor().long()
        high = torch.minimum(low + 1, torch.tensor(grid.shape[1] - 1))
        w = place - low

        def line(i, j, grid=grid, low=low, high=high, w=w):
            return grid[:, i, j, low[2]] * (1 - w[2]) + grid[:, i, j, high[2]] * w[2]

        def plane(i, low=low, high=high, w=w, line=line):
            return line(i, low[1]) * (1 - w[1]) + line(i, high[1]) * w[1]

        answers.append(plane(low[0]) * (1 - w[0]) + plane(high[0]) * w[0])
    return torch.stack(answers)
