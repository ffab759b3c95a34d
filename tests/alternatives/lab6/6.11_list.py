import torch


def sparse_conv_grads(grad, x, weight, pairs):
    """A dense table of who meets whom, and a list in place of a tuple."""
    to_x, to_weight = x.new_zeros(x.shape), []
    for (source, target), matrix in zip((pair.T for pair in pairs), weight, strict=True):
        meets = x.new_zeros(len(x), len(grad))
        meets[source, target] = 1
        to_x = to_x + meets @ grad @ matrix.T
        to_weight.append(torch.einsum("io,ic,od->cd", meets, x, grad))
    return [to_x, torch.stack(to_weight)]
