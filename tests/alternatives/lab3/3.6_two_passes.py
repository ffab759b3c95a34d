"""Two forward passes, and the hinge by clamp."""


def discriminator_loss(discriminator, real, fake, T):
    on_real = discriminator(T(real))
    on_fake = discriminator(T(fake.detach()))
    return (1 - on_real).clamp(min=0).mean() + (1 + on_fake).clamp(min=0).mean()
