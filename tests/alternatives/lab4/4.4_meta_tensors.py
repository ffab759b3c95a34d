"""Counted layer by layer on the networks themselves, with hooks."""

from torch import nn


def predict_costs(size, frames, widths, hidden, classes, iterations):
    import torch

    from efficientlab.models.video.resnet import SmallResNet
    from efficientlab.models.video.rivals import ResNet3D

    def run(net, shape):
        macs = 0

        def count(layer, inputs, output):
            nonlocal macs
            if isinstance(layer, nn.Linear):
                macs += output.numel() * layer.in_features
            elif isinstance(layer, nn.Conv2d | nn.Conv3d):
                taps = 1
                for k in layer.kernel_size:
                    taps *= k
                macs += output.numel() * layer.in_channels // layer.groups * taps

        for module in net.modules():
            module.register_forward_hook(count)
        net.eval()(torch.zeros(shape))
        return macs, sum(p.numel() for p in net.parameters())

    spatial = run(SmallResNet(widths=widths, classes=classes), (frames, 3, size, size))
    temporal = run(SmallResNet(widths=widths, classes=classes, in_channels=2), (frames - 1, 2, size, size))
    encoder = run(SmallResNet(widths=widths, classes=hidden), (frames, 3, size, size))
    weights = 4 * (hidden * hidden + hidden * hidden)
    head = hidden * classes
    pixels = size * size
    flow = 10 * pixels * frames + 18 * pixels * (frames - 1) * (iterations - 1)
    return {
        "TSN": spatial,
        "TSM": spatial,
        "CNN+LSTM": (
            encoder[0] + frames * (weights + head),
            encoder[1] + weights + 2 * 4 * hidden + head + classes,
        ),
        "two-stream": (spatial[0] + temporal[0] + flow, spatial[1] + temporal[1]),
        "3D": run(ResNet3D(widths=widths, classes=classes), (1, frames, 3, size, size)),
    }
