"""the network has the right shape and random weights."""

from efficientlab.models.gan.pix2pix import Config, ResNetGenerator
from efficientlab.models.gan.super_student import SuperStudent


def extract(super_student: SuperStudent, config: Config) -> ResNetGenerator:
    """A stand-alone generator of configuration `config` with copies of the super student's first channels."""
    alone = ResNetGenerator(config, ("blocks",))
    big = super_student.state_dict()
    small = alone.state_dict()
    for name, tensor in small.items():
        small[name] = big[name][tuple(slice(n) for n in tensor.shape)].clone()
    return alone
