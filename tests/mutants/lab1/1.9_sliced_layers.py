"""the network is made of sliced layers: it is to stand alone, of plain ones."""

from efficientlab.models.gan.pix2pix import Config, ResNetGenerator
from efficientlab.models.gan.super_student import SuperStudent


def extract(super_student: SuperStudent, config: Config) -> ResNetGenerator:
    """A stand-alone generator of configuration `config` with copies of the super student's first channels."""
    from efficientlab.models.gan.super_student import SLICED as sliced

    alone = ResNetGenerator(config, ("blocks",), sliced)
    big = super_student.state_dict()
    small = {
        name: big[name][tuple(slice(n) for n in tensor.shape)].clone()
        for name, tensor in alone.state_dict().items()
    }
    alone.load_state_dict(small)
    return alone
