"""the norms' scales and offsets are not taken over."""

from efficientlab.models.gan.pix2pix import Config, ResNetGenerator
from efficientlab.models.gan.super_student import SuperStudent


def extract(super_student: SuperStudent, config: Config) -> ResNetGenerator:
    """A stand-alone generator of configuration `config` with copies of the super student's first channels."""
    alone = ResNetGenerator(config, ("blocks",))

    def is_norm(name):
        return ".norm" in name or (name[0] in "sdu" and ".1." in name)

    big = super_student.state_dict()
    small = {
        name: big[name][tuple(slice(n) for n in tensor.shape)].clone()
        for name, tensor in alone.state_dict().items()
        if not is_norm(name)
    }
    alone.load_state_dict(small, strict=False)
    return alone
