"""Layer by layer, and by the number of sizes."""

from efficientlab.models.gan.anycost.configs import FULL


def generator_macs(config, size):
    macs = 64 * 64 + 64 * 64
    for number in range(size.bit_length() - 2):
        pixels = 16 * 4**number
        inputs, outputs = config[number], config[number + 1]
        macs += pixels * (inputs * 9 + 3) * outputs  # the convolution and the paint
        macs += inputs * outputs  # the demodulation
        macs += 64 * FULL[number] + 64 * FULL[number + 1]  # styles
        if number:
            macs += 4 * pixels * inputs + 12 * pixels  # the enlargement of features and picture
    return macs
