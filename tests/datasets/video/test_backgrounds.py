import hashlib

import numpy as np
import pytest

from efficientlab.datasets.video.backgrounds import load_backgrounds

CLIPS = dict(load_backgrounds())


def test_clips_come_in_the_order_of_their_names_with_one_size():
    assert [name for name, _ in load_backgrounds()] == sorted(CLIPS)
    assert set(CLIPS) == {"bunny", "cat", "coffee", "earth", "sky", "skyscraper", "towers", "trunk"}
    for clip in CLIPS.values():
        assert clip.dtype == np.uint8
        assert clip.shape[1:] == (72, 96, 3)
        assert clip.flags.writeable


def test_every_clip_is_long_enough_for_three_segments_of_8_frames():
    """ArrowSet cuts each clip in time, 60 % : 15 % : 25 %; the middle part must still hold 8 frames."""
    for name, clip in CLIPS.items():
        assert round(0.75 * len(clip)) - round(0.6 * len(clip)) >= 8, name


@pytest.mark.parametrize("name", sorted(CLIPS))
def test_a_clip_is_one_shot_that_moves(name):
    """Neighbouring frames differ, but never as much as across a cut; the ends differ more than neighbours do."""
    clip = CLIPS[name].astype(np.float64)
    step = np.abs(np.diff(clip, axis=0)).mean((1, 2, 3))
    assert step.mean() > 0.3
    assert step.max() < 20
    assert np.abs(clip[-1] - clip[0]).mean() > step.mean()


def test_clips_show_different_things():
    means = np.stack([clip.mean((0, 1, 2)) for clip in CLIPS.values()])  # (clips, 3)
    distance = np.abs(means[:, None] - means[None]).sum(-1)
    assert (distance + 1000 * np.eye(len(means))).min() > 3


def test_the_decoder_agrees_on_every_pixel():
    """What a seed gives must not depend on the JPEG library; these are the pixels when the clips were made."""
    digest = hashlib.sha256(b"".join(clip.tobytes() for _, clip in sorted(CLIPS.items()))).hexdigest()
    assert digest == "dffe4e7288c1cf0628b05a51a137677656199d84ddd092f05f654621f08adac3"
