"""the discriminator is put into evaluation mode and left there: it is in training."""


def generator_loss(discriminator, fake, T):
    return -discriminator.eval()(T(fake)).mean()
