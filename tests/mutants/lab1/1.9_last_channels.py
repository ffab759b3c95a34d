"""the last channels are taken, not the first."""

from efficientlab.models.gan.pix2pix import Config, ResNetGenerator
from efficientlab.models.gan.super_student import SuperStudent


def extract(super_student: SuperStudent, config: Config) -> ResNetGenerator:
    """A stand-alone generator of configuration `config` with copies of the super student's first channels."""
    alone = ResNetGenerator(config, ("blocks",))
    big = super_student.state_dict()
    small = {
        name: big[name][
            tuple(slice(m - n, m) for m, n in zip(big[name].shape, tensor.shape, strict=True))
        ].clone()
        for name, tensor in alone.state_dict().items()
    }
    alone.load_state_dict(small)
    return alone
