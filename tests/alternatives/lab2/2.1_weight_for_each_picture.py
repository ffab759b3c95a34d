"""As the formula has it: a weight for each picture, in a grouped convolution."""

import torch.nn.functional as F


def modulated_conv(x, weight, style, width, demodulate=True):
    n, c, height, columns = x.shape
    own = weight[None, :width, :c] * style[:, None, :c, None, None]  # (N, width, c, k, k)
    if demodulate:
        own = own / (own.square().sum((2, 3, 4), keepdim=True) + 1e-8).sqrt()
    y = F.conv2d(x.reshape(1, n * c, height, columns), own.flatten(0, 1), padding="same", groups=n)
    return y.view(n, width, height, columns)
