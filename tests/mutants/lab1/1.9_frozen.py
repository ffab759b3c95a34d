"""the network is right but its weights take no gradient: it is still to be fine-tuned."""

from efficientlab.models.gan.pix2pix import ResNetGenerator


def extract(super_student, config):
    small = ResNetGenerator(config, ("blocks",))
    big = super_student.state_dict()
    small.load_state_dict(
        {k: big[k][tuple(slice(n) for n in v.shape)].clone() for k, v in small.state_dict().items()}
    )
    return small.requires_grad_(False)
