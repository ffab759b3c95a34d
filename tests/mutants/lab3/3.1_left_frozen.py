"""the discriminator is left frozen: a measurement leaves no trace."""


def overfitting(discriminator, train, held_out, fake):
    was = discriminator.training
    discriminator.requires_grad_(False)
    discriminator.eval()
    shares = {
        name: (discriminator(x) > 0).float().mean().item()
        for name, x in (("train", train), ("held_out", held_out), ("fake", fake))
    }
    discriminator.train(was)
    shares["gap"] = shares["train"] - shares["held_out"]
    return shares
