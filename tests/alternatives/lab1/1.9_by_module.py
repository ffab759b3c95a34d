"""module by module."""

import torch

from efficientlab.models.gan.pix2pix import ResNetGenerator


def extract(super_student, config):
    alone = ResNetGenerator(config, separable=("blocks",))
    wide = dict(super_student.named_parameters())
    with torch.no_grad():
        for name, parameter in alone.named_parameters():
            source = wide[name]
            for dim, n in enumerate(parameter.shape):
                source = source.narrow(dim, 0, n)
            parameter.copy_(source)
    return alone
