"""the two lists of losses are returned the other way round."""

import torch

from efficientlab.training.gan.conditional import Batch


def fine_tune(generator, discriminator, batches, generator_loss, discriminator_loss, also_train, lr):
    """Train both players in place; returns their losses, two lists of one number a step: (losses_d, losses_g).

    batches: sized, of (drawing, picture), each (N, 1, H, W); the losses map a `Batch` to a scalar; also_train: parameters.
    """
    learners = [*generator.parameters(), *also_train]
    adam_g = torch.optim.Adam(learners, lr=lr, betas=(0.5, 0.999))
    adam_d = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=(0.5, 0.999))
    losses_d, losses_g = [], []
    for step, (drawing, picture) in enumerate(batches):
        for adam in (adam_g, adam_d):
            adam.param_groups[0]["lr"] = lr * (1 - step / len(batches))
        fake, features = generator.with_features(drawing)
        batch = Batch(drawing, picture, fake, features, discriminator)
        for adam, loss_of, losses in (
            (adam_d, discriminator_loss, losses_d),
            (adam_g, generator_loss, losses_g),
        ):
            loss = loss_of(batch)
            adam.zero_grad()
            loss.backward()
            adam.step()
            losses.append(loss.item())
    return losses_g, losses_d
