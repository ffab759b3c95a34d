import numpy as np
import pytest
import torch

from efficientlab.datasets.gan.avatars import ATTRIBUTES, SHIPPED, load_avatars


@pytest.mark.parametrize(("split", "count"), SHIPPED.items())
def test_the_shipped_splits(split, count):
    avatars = load_avatars(split)
    assert avatars.pictures.shape == (count, 3, 32, 32) and avatars.pictures.dtype == torch.uint8
    assert avatars.labels.shape == (count, len(ATTRIBUTES)) and avatars.labels.dtype == torch.int64
    assert (
        avatars.skin.shape == (count,) and 0 <= avatars.skin.min() < 0.02 and 0.98 < avatars.skin.max() <= 1
    )
    for name, values in ATTRIBUTES.items():
        shares = torch.bincount(avatars.attribute(name), minlength=len(values)) / count
        expected = (
            torch.tensor([0.75, 0.25]) if name == "glasses" else torch.full((len(values),), 1 / len(values))
        )
        assert (shares - expected).abs().max() < 4 * (0.25 / count) ** 0.5


def test_no_picture_is_in_two_splits():
    pictures = torch.cat([load_avatars(split).pictures for split in SHIPPED]).flatten(1).numpy()
    assert len(np.unique(pictures, axis=0)) == sum(SHIPPED.values())


def test_attributes_are_drawn_independently():
    avatars = load_avatars("train")
    columns = torch.cat([avatars.labels.double(), avatars.skin[:, None].double()], 1)
    off = torch.corrcoef(columns.T) - torch.eye(columns.shape[1])
    assert off.abs().max() < 5 / len(columns) ** 0.5


def test_pictures_show_what_their_labels_say():
    avatars = load_avatars("train")
    mean = avatars.pictures.float().mean((0, 2, 3))
    assert (mean > 100).all()  # on white
    dark, light = (avatars.pictures[rows].float().mean() for rows in (avatars.skin > 0.8, avatars.skin < 0.2))
    assert dark < light
    long = avatars.attribute("hair") == ATTRIBUTES["hair"].index("long")
    shaved = avatars.attribute("hair") == ATTRIBUTES["hair"].index("shaved")
    white = (avatars.pictures == 255).all(1).double().mean((1, 2))
    assert white[long].mean() < white[shaved].mean() - 0.03


def test_a_folder_with_the_full_set(tmp_path):
    images = np.zeros((3, 32, 32, 3), np.uint8)
    images[:, 0, 1] = (1, 2, 3)
    np.savez(
        tmp_path / "avatars.npz",
        train_images=images,
        train_labels=np.ones((3, 5), np.uint8),
        train_skin=np.full(3, 0.5, np.float32),
    )
    avatars = load_avatars("train", tmp_path)
    assert avatars.pictures[2, :, 0, 1].tolist() == [1, 2, 3]
    assert avatars.attribute("colour").tolist() == [1, 1, 1]


def test_bad_input_gets_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="split must be one of train, val, test; got 'all'"):
        load_avatars("all")
    with pytest.raises(FileNotFoundError):
        load_avatars("val", tmp_path)
