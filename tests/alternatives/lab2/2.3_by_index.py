"""Readers written out; data is replaced, not copied into."""

import torch


def sort_channels(const, convs, paints, w):
    def reads(layer):
        effective = (layer.weight * layer.gain).detach().abs()
        return torch.einsum("oikl->i", effective) * layer.style(w).detach().abs().mean(0)

    readers = [
        [convs[0]],
        *([conv, paint] for conv, paint in zip(convs[1:], paints, strict=False)),
        [paints[-1]],
    ]
    for number, layers in enumerate(readers):
        order = torch.sort(sum(map(reads, layers)), descending=True).indices
        for layer in layers:
            layer.weight.data = layer.weight.data[:, order].clone()
            layer.style.weight.data = layer.style.weight.data[order].clone()
            layer.style.bias.data = layer.style.bias.data[order].clone()
        if number:
            convs[number - 1].weight.data = convs[number - 1].weight.data[order].clone()
            convs[number - 1].bias.data = convs[number - 1].bias.data[order].clone()
        else:
            const.data = const.data[:, order].clone()
