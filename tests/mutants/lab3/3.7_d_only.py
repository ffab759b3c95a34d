"""T is missing in the generator's step: the discriminator is asked about pictures of a kind that it was not trained on."""


def generator_loss(discriminator, fake, T):
    return -discriminator(fake).mean()
