import math
import struct
import sys
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils.data import DataLoader

from efficientlab.datasets.video.clips import VideoClips, VideoList, load_clips, segment_indices

av = pytest.importorskip("av")

STEP = 12  # grey levels between one frame and the next: frame k of a test video has the level 8 + 12 k


def write_video(path, frames, codec, height=32, width=48):
    """Encodes frames of one grey level each, so that a decoded frame tells its number."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=12)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = 400_000
        for k in range(frames):
            grey = np.full((height, width, 3), 8 + STEP * k, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode())


def write_frames(folder, frames, height=32, width=48):
    folder.mkdir()
    for k in range(frames):
        grey = np.full((height, width, 3), 8 + STEP * k, np.uint8)
        Image.fromarray(grey).save(folder / f"{k + 1:05d}.jpg")


def numbers(clip):
    """The frame numbers that a clip (T, 3, H, W) of a test video shows."""
    return ((clip.double().mean((1, 2, 3)) - 8) / STEP).round().long().tolist()


def one(path):
    return VideoList(("a", "b"), (path,), (1,))


@given(count=st.integers(1, 300), frames=st.integers(1, 32))
@settings(deadline=None, max_examples=100)
def test_segments_are_tsms_test_indices(count, frames):
    """tick/2 + k·tick with tick = count/frames, in exact arithmetic."""
    tick = Fraction(count, frames)
    assert segment_indices(count, frames) == [math.floor(tick / 2 + k * tick) for k in range(frames)]


@given(count=st.integers(1, 300), frames=st.integers(1, 32), seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=100)
def test_jitter_stays_inside_its_segment(count, frames, seed):
    torch.manual_seed(seed)
    indices = segment_indices(count, frames, jitter=True)
    assert indices == sorted(indices)
    for k, index in enumerate(indices):
        assert k * count // frames <= index <= min((k + 1) * count // frames, count - 1)


def test_jitter_reaches_every_frame_and_follows_the_seed():
    torch.manual_seed(0)
    draws = [segment_indices(11, 4, jitter=True) for _ in range(200)]
    assert {index for draw in draws for index in draw} == set(range(11))
    torch.manual_seed(0)
    assert [segment_indices(11, 4, jitter=True) for _ in range(200)] == draws


@pytest.mark.parametrize(("count", "frames"), [(0, 8), (8, 0)])
def test_no_frames_cannot_be_sampled(count, frames):
    with pytest.raises(
        ValueError, match=f"at least one frame each; got {count} frames for {frames} segments"
    ):
        segment_indices(count, frames)


@pytest.mark.parametrize(
    ("name", "codec"), [("v.mp4", "mpeg4"), ("v.mp4", "libx264"), ("v.webm", "libvpx-vp9")]
)
def test_a_video_file_gives_the_chosen_frames_in_order(tmp_path, name, codec):
    write_video(tmp_path / name, 20, codec)
    clip, label = VideoClips(one(tmp_path / name), frames=4, size=16)[0]
    assert clip.shape == (4, 3, 16, 16)
    assert clip.dtype == torch.uint8
    assert clip.is_contiguous()
    assert label == 1
    assert numbers(clip) == [2, 7, 12, 17]


def test_a_folder_of_frames_gives_the_chosen_frames_in_order(tmp_path):
    write_frames(tmp_path / "34870", 16)
    clip, _ = VideoClips(one(tmp_path / "34870"), frames=8, size=16)[0]
    assert numbers(clip) == [1, 3, 5, 7, 9, 11, 13, 15]


def test_frames_are_ordered_by_number_not_by_letter(tmp_path):
    write_frames(tmp_path / "v", 12)
    for path in (tmp_path / "v").iterdir():
        path.rename(path.with_name(f"{int(path.stem)}.jpg"))
    clip, _ = VideoClips(one(tmp_path / "v"), frames=12, size=16)[0]
    assert numbers(clip) == list(range(12))


def test_a_short_video_repeats_frames_in_order_and_says_so(tmp_path):
    write_frames(tmp_path / "v", 3)
    with pytest.warns(UserWarning, match=r"v has 3 frames, fewer than the 8 of a clip: some are repeated"):
        clip, _ = VideoClips(one(tmp_path / "v"), frames=8, size=16)[0]
    assert numbers(clip) == [0, 0, 0, 1, 1, 2, 2, 2]


def test_a_video_of_exactly_t_frames_is_taken_whole_without_a_warning(tmp_path):
    write_frames(tmp_path / "v", 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clip, _ = VideoClips(one(tmp_path / "v"), frames=8, size=16)[0]
    assert numbers(clip) == list(range(8))


def test_the_middle_seven_eighths_of_the_short_side_are_kept(tmp_path):
    """64 × 128 pixels: the kept square is rows 4 to 59, columns 36 to 91; only it is white here."""
    image = np.zeros((64, 128, 3), np.uint8)
    image[4:60, 36:92] = 255
    (tmp_path / "v").mkdir()
    Image.fromarray(image).save(tmp_path / "v" / "1.jpg", quality=100, subsampling=0)
    clip, _ = VideoClips(one(tmp_path / "v"), frames=1, size=56)[0]
    assert clip.float().mean() > 250
    image = 255 - image
    Image.fromarray(image).save(tmp_path / "v" / "1.jpg", quality=100, subsampling=0)
    clip, _ = VideoClips(one(tmp_path / "v"), frames=1, size=56)[0]
    assert clip.float().mean() < 5


def test_colour_channels_keep_their_order(tmp_path):
    (tmp_path / "v").mkdir()
    Image.new("RGB", (32, 32), (200, 100, 20)).save(tmp_path / "v" / "1.jpg", quality=100, subsampling=0)
    clip, _ = VideoClips(one(tmp_path / "v"), frames=1, size=8)[0]
    torch.testing.assert_close(
        clip[0].float().mean((1, 2)), torch.tensor([200.0, 100.0, 20.0]), atol=2, rtol=0
    )


def test_jitter_is_reproducible_and_changes_the_clip(tmp_path):
    write_frames(tmp_path / "v", 20)
    clips = VideoClips(one(tmp_path / "v"), frames=4, size=8, jitter=True)
    torch.manual_seed(1)
    first, second = clips[0][0], clips[0][0]
    torch.manual_seed(1)
    assert torch.equal(clips[0][0], first)
    assert not torch.equal(first, second)


def test_videos_of_different_sizes_make_a_batch(tmp_path):
    write_frames(tmp_path / "wide", 8, 32, 64)
    write_video(tmp_path / "tall.mp4", 10, "mpeg4", 64, 32)
    videos = VideoList(("a", "b"), (tmp_path / "wide", tmp_path / "tall.mp4"), (0, 1))
    clips, labels = next(iter(DataLoader(VideoClips(videos, frames=4, size=16), batch_size=2)))
    assert clips.shape == (2, 4, 3, 16, 16)
    assert labels.tolist() == [0, 1]


def test_a_listed_video_that_is_gone_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the video .*7\.webm is listed but is not there"):
        VideoClips(one(tmp_path / "7.webm"))[0]


@pytest.mark.parametrize("content", [b"", b"<html>video unavailable</html>" * 50])
def test_a_file_that_is_no_video_is_named(tmp_path, content):
    (tmp_path / "7.mp4").write_bytes(content)
    with pytest.raises(ValueError, match=r"7\.mp4 cannot be decoded .*download this video again"):
        VideoClips(one(tmp_path / "7.mp4"))[0]


def test_a_file_with_sound_only_is_named(tmp_path):
    with av.open(str(tmp_path / "7.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 16000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(ValueError, match=r"7\.mp4 cannot be decoded"):
        VideoClips(one(tmp_path / "7.mp4"))[0]


def test_a_video_without_frames_is_named(tmp_path):
    (tmp_path / "7").mkdir()
    with pytest.raises(ValueError, match=r"7 has no \.jpg frames"):
        VideoClips(one(tmp_path / "7"))[0]


def test_a_broken_frame_is_named(tmp_path):
    write_frames(tmp_path / "7", 3)
    (tmp_path / "7" / "00002.jpg").write_bytes(b"\xff\xd8 cut")
    with pytest.raises(ValueError, match=r"00002\.jpg cannot be decoded .*unpack this video again"):
        VideoClips(one(tmp_path / "7"), frames=3)[0]


def test_without_pyav_the_fix_is_said(tmp_path, monkeypatch):
    (tmp_path / "7.mp4").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"reading video files needs PyAV: `pip install av`"):
        VideoClips(one(tmp_path / "7.mp4"))[0]


@pytest.mark.parametrize(("frames", "size"), [(0, 8), (8, 0), (-1, 8)])
def test_frames_and_size_must_be_positive(tmp_path, frames, size):
    with pytest.raises(ValueError, match=f"must be positive; got frames={frames}, size={size}"):
        VideoClips(one(tmp_path), frames=frames, size=size)


@pytest.fixture
def swipes(tmp_path):
    """Ten videos of three classes; video k begins with frame k, so that a clip tells which one it is."""
    for k in range(10):
        (tmp_path / str(k)).mkdir()
        for t in range(4):
            grey = np.full((16, 16, 3), 8 + STEP * (k + t), np.uint8)
            Image.fromarray(grey).save(tmp_path / str(k) / f"{t + 1}.jpg", quality=95)
    labels = tuple(k % 3 for k in range(10))
    return VideoList(("left", "right", "none"), tuple(tmp_path / str(k) for k in range(10)), labels)


def test_loaded_clips_are_those_of_the_wanted_classes_with_their_places_as_labels(swipes):
    clips = load_clips(swipes, ("right", "left"), clips=100, frames=4, size=8)
    assert clips.video.shape == (7, 4, 3, 8, 8)
    assert clips.video.dtype == torch.uint8
    which = [numbers(clip)[0] for clip in clips.video]
    assert sorted(which) == [0, 1, 3, 4, 6, 7, 9]
    assert clips.label.tolist() == [{1: 0, 0: 1}[k % 3] for k in which]


def test_no_process_is_forked_from_one_that_has_decoded(swipes, monkeypatch):
    def fork():
        raise AssertionError("a child waits for ever where it frees its parent's decoder")

    monkeypatch.setattr("os.fork", fork, raising=False)  # Windows has none
    assert len(load_clips(swipes, ("right",), clips=2, frames=4, size=8)) == 2


def test_a_part_of_the_clips_is_drawn_by_its_seed(swipes):
    def draw(seed):
        return [numbers(clip)[0] for clip in load_clips(swipes, ("left",), 2, 4, 8, seed).video]

    assert len(draw(0)) == 2
    assert draw(0) == draw(0)
    assert len({tuple(draw(seed)) for seed in range(8)}) > 1


def test_classes_that_are_not_there(swipes):
    with pytest.raises(ValueError, match="'up' is not among the 3 classes"):
        load_clips(swipes, ("left", "up"), 4)
    empty = VideoList(("left", "up"), swipes.paths[:1], (0,))
    with pytest.raises(ValueError, match="no video of this set belongs to up"):
        load_clips(empty, ("up",), 4)


IDENTITY = (1, 0, 0, 1)
# (a, b, c, d) of the display matrix, x' = a·x + c·y and y' = b·x + d·y: where the stored top left corner is shown
SHOWN = {
    "as stored": (IDENTITY, (0, 0)), "turned by 90°": ((0, 1, -1, 0), (0, -1)),
    "turned by 180°": ((-1, 0, 0, -1), (-1, -1)), "turned by 270°": ((0, -1, 1, 0), (-1, 0)),
    "mirrored": ((-1, 0, 0, 1), (0, -1)), "upside down": ((1, 0, 0, -1), (-1, 0)),
    "transposed": ((0, 1, 1, 0), (0, 0)),
}  # fmt: skip


def with_matrix(path, matrix):
    """Writes the display matrix into the header of an MP4's track, as a phone does."""
    a, b, c, d = (value << 16 for value in matrix)
    one = 1 << 30
    content = path.read_bytes()
    old = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, one)
    place = content.index(old, content.index(b"tkhd"))
    new = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, one)
    path.write_bytes(content[:place] + new + content[place + len(old) :])


@pytest.mark.parametrize("name", SHOWN)
def test_a_video_is_turned_as_its_file_says(tmp_path, name):
    matrix, (row, column) = SHOWN[name]
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.bit_rate = 4_000_000
        picture = np.zeros((64, 64, 3), np.uint8)
        picture[:32, :32] = 240
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    with_matrix(path, matrix)
    clip, _ = VideoClips(one(path), frames=2, size=16)[0]
    quarters = clip[0].double().mean(0).view(2, 8, 2, 8).mean((1, 3))  # (2, 2)
    assert quarters[row, column] > 180
    assert quarters.sum() - quarters[row, column] < 60


def test_hidden_frames_are_no_frames(tmp_path):
    write_frames(tmp_path / "v", 4)
    (tmp_path / "v" / "._00001.jpg").write_bytes(b"no picture")
    clip, _ = VideoClips(one(tmp_path / "v"), frames=4, size=16)[0]
    assert numbers(clip) == [0, 1, 2, 3]


def test_a_file_without_video_says_so(tmp_path):
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(ValueError, match=r"sound\.mp4 cannot be decoded \(it holds no video\)"):
        VideoClips(one(tmp_path / "sound.mp4"))[0]
