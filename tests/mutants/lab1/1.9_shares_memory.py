"""the network's weights are views of the super student's: training one changes the other."""

from efficientlab.models.gan.pix2pix import Config, ResNetGenerator
from efficientlab.models.gan.super_student import SuperStudent


def extract(super_student: SuperStudent, config: Config) -> ResNetGenerator:
    """A stand-alone generator of configuration `config` with copies of the super student's first channels."""
    alone = ResNetGenerator(config, ("blocks",))
    big = super_student.state_dict()
    small = {
        name: big[name][tuple(slice(n) for n in tensor.shape)] for name, tensor in alone.state_dict().items()
    }
    for name, parameter in alone.named_parameters():
        parameter.data = small[name]
    return alone
