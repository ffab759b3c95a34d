"""LambdaLR, and each player written out."""

import torch

from efficientlab.training.gan.conditional import Batch


def fine_tune(generator, discriminator, batches, generator_loss, discriminator_loss, also_train, lr):
    n = len(batches)
    g = torch.optim.Adam(list(generator.parameters()) + list(also_train), lr, betas=(0.5, 0.999))
    d = torch.optim.Adam(discriminator.parameters(), lr, betas=(0.5, 0.999))
    schedules = [torch.optim.lr_scheduler.LambdaLR(o, lambda i: max(0.0, 1 - i / n)) for o in (g, d)]
    record = ([], [])
    for drawing, picture in batches:
        batch = Batch(drawing, picture, *generator.with_features(drawing), discriminator)
        d.zero_grad()
        loss = discriminator_loss(batch)
        loss.backward()
        d.step()
        record[0].append(loss.item())
        g.zero_grad()
        loss = generator_loss(batch)
        loss.backward()
        g.step()
        record[1].append(loss.item())
        for schedule in schedules:
            schedule.step()
    return record
