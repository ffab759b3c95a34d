"""the last size is not counted."""

from efficientlab.models.gan.anycost.configs import FULL, SIZES


def generator_macs(config, size: int) -> int:
    """MACs of one picture of size × size pixels by the sub-generator `config`."""
    total = 2 * 64 * 64
    for r, c_in, c_out, full_in, full_out in zip(SIZES, config, config[1:], FULL, FULL[1:], strict=False):
        total += 9 * c_in * c_out * r**2 + c_in * c_out + 3 * c_out * r**2 + 64 * (full_in + full_out)
        total += 4 * (c_in + 3) * r**2 if r > 4 else 0
        if 2 * r == size:
            break
    return total
