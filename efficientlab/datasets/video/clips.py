"""Clips of T frames from lists of videos: TSM's segment sampling, decoding, cropping.

A video is a file that PyAV decodes (webm, mp4, …) or a folder of numbered JPEGs.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from efficientlab.datasets.pictures import read_picture
from efficientlab.datasets.reading import visible
from efficientlab.frontend import progress_bar
from efficientlab.kernels.backend import whole

if TYPE_CHECKING:
    from PIL.Image import Image

_CROPPED = 7 / 8  # TSM scales the short side to 256 and crops 224


@dataclass(frozen=True)
class VideoList:
    """Labelled videos: paths of files or of frame folders, and for each its index into the class names."""

    classes: tuple[str, ...]
    paths: tuple[Path, ...]
    labels: tuple[int, ...]


class VideoClips(Dataset[tuple[Tensor, int]]):
    """Clips of T frames, one of each listed video: (uint8 (T, 3, size, size), label).

    The video is cut into T equal segments and each gives one frame: its middle one, or with ``jitter`` a
    random one, as in TSM's training (torch's global generator draws it, so `torch.manual_seed` and
    DataLoader's worker seeds hold). Frames are turned as their file says. The short side is scaled to 8/7 of
    ``size`` and the middle is cropped. Nothing is flipped: see `efficientlab.datasets.video.mirror`.

    Raises, when a clip is read:
        FileNotFoundError: the video is not there.
        ValueError: it cannot be decoded, or has no frames.
        ImportError: it needs PyAV, which is not installed.
    """

    def __init__(self, videos: VideoList, frames: int = 8, size: int = 224, *, jitter: bool = False) -> None:
        if whole("frames", frames) < 1 or whole("size", size) < 1:
            raise ValueError(f"frames and size must be positive; got frames={frames}, size={size}.")
        self.videos = videos
        self.frames = frames
        self.size = size
        self.jitter = jitter

    def __len__(self) -> int:
        return len(self.videos.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        path = self.videos.paths[index]
        images = _read(path, self._choose)
        clip = np.stack([_middle(image, self.size) for image in images])  # (T, H, W, 3)
        return torch.from_numpy(clip).permute(0, 3, 1, 2).contiguous(), self.videos.labels[index]

    def _choose(self, count: int, path: Path) -> list[int]:
        if count < self.frames:
            warnings.warn(
                f"{path} has {count} frames, fewer than the {self.frames} of a clip: some are repeated.",
                stacklevel=2,
            )
        return segment_indices(count, self.frames, jitter=self.jitter)


@dataclass(frozen=True)
class LoadedClips:
    """Decoded clips with their labels; indexing with a slice or an index tensor gives another set."""

    video: Tensor  # uint8 (N, T, 3, size, size)
    label: Tensor  # int64 (N,)

    def __len__(self) -> int:
        return len(self.video)

    def __getitem__(self, index: Any) -> LoadedClips:
        return LoadedClips(self.video[index], self.label[index])

    def to(self, device: torch.device | str) -> LoadedClips:
        return LoadedClips(self.video.to(device), self.label.to(device))


def load_clips(
    videos: VideoList, classes: Sequence[str], clips: int, frames: int = 8, size: int = 64, seed: int = 0
) -> LoadedClips:
    """Decodes `clips` videos of the given classes, drawn without replacement, into memory: N · T · 3 · size² bytes.

    Labels count in the order of `classes`. Fewer videos than `clips` are all taken.

    Raises:
        ValueError: a class is not in the list or comes twice, none of its videos is, or clips is not positive.
    """
    if isinstance(classes, str) or not classes or len(set(classes)) < len(classes):
        raise ValueError(f"classes must be names, at least one and none twice; got {classes!r}.")
    if whole("clips", clips) < 1:
        raise ValueError(f"clips must be positive, got {clips}.")
    if unknown := [name for name in classes if name not in videos.classes]:
        raise ValueError(f"{unknown[0]!r} is not among the {len(videos.classes)} classes of this set.")
    wanted = {videos.classes.index(name): i for i, name in enumerate(classes)}
    index = [i for i, label in enumerate(videos.labels) if label in wanted]
    if not index:
        raise ValueError(f"no video of this set belongs to {', '.join(classes)}.")
    order = torch.randperm(len(index), generator=torch.Generator().manual_seed(seed))[:clips]
    chosen = VideoClips(videos, frames, size)
    read = []
    # Threads: a forked process waits for ever where it frees a decoder of its parent's, whose threads it does not have.
    with (
        ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool,
        progress_bar(len(order), "video", "decoding") as bar,
    ):
        for clip in pool.map(chosen.__getitem__, [index[i] for i in order]):
            read.append(clip)
            bar.update()
    video, label = zip(*read, strict=True)
    return LoadedClips(torch.stack(video), torch.tensor([wanted[i] for i in label]))


def segment_indices(count: int, frames: int, *, jitter: bool = False) -> list[int]:
    """One index out of each of ``frames`` equal segments of a video of ``count`` frames.

    ⌊(k + u)·count / frames⌋ for k = 0 … frames - 1, with u = ½, or u uniform in [0, 1) for each k with
    ``jitter``. The indices never decrease; a video shorter than ``frames`` repeats some. With u = ½ these
    are the test indices of TSN (Wang et al., ECCV 2016) and TSM (Lin, Gan & Han, ICCV 2019); their training
    indices never reach the last count mod frames frames, these do.

    Raises:
        ValueError: count or frames is not positive.
    """
    if count < 1 or frames < 1:
        raise ValueError(f"segments need at least one frame each; got {count} frames for {frames} segments.")
    if jitter:
        u = torch.rand(frames, dtype=torch.float64)
        return ((torch.arange(frames) + u) * count / frames).long().clamp_(max=count - 1).tolist()
    return [(2 * k + 1) * count // (2 * frames) for k in range(frames)]


_Choose = Callable[[int, Path], list[int]]


def _read(path: Path, choose: _Choose) -> list[Image]:
    """The chosen frames of a video file or of a folder of frames."""
    if path.is_dir():
        return _read_folder(path, choose)
    if path.is_file():
        return _read_file(path, choose)
    raise FileNotFoundError(f"the video {path} is listed but is not there; unpack the data set again.")


def _read_folder(folder: Path, choose: _Choose) -> list[Image]:
    files = visible(folder, (".jpg", ".jpeg"))
    files = [file for file in files if file.stem[-1:].isdecimal()]  # no thumbnail among them
    files.sort(key=lambda file: (len(file.stem), file.stem))  # 9.jpg before 10.jpg
    if not files:
        raise ValueError(f"{folder} has no .jpg frames with numbers; unpack this video again.")
    remedy = "unpack this video again"
    return [read_picture(files[index], remedy=remedy) for index in choose(len(files), folder)]


def _read_file(path: Path, choose: _Choose) -> list[Image]:
    av = _pyav()
    try:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "AUTO"
            frames = list(container.decode(video=0))  # kept as decoded: headers often do not know the number
    except (av.FFmpegError, IndexError) as error:
        reason = "it holds no video" if isinstance(error, IndexError) else error
        raise ValueError(f"{path} cannot be decoded ({reason}); download this video again.") from error
    if not frames:
        raise ValueError(f"{path} has no frames; download this video again.")
    return [_upright(frames[index]) for index in choose(len(frames), path)]


def _upright(frame: Any) -> Image:
    """The frame as a player shows it: turned and mirrored by the container's display matrix, as FFmpeg does.

    A phone stores the sensor's rows and says how to turn them: (x', y') = (a·x + c·y, b·x + d·y), rows of pixels
    counted downwards. Turns by other than right angles are none that cameras write.
    """
    from PIL.Image import Transpose

    image = frame.to_image()
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return image
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
    if abs(b) > abs(a):  # x and y change places
        image, right, down = image.transpose(Transpose.TRANSPOSE), c, b
    else:
        right, down = a, d
    if right < 0:
        image = image.transpose(Transpose.FLIP_LEFT_RIGHT)
    return image.transpose(Transpose.FLIP_TOP_BOTTOM) if down < 0 else image


def _pyav() -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise ImportError("reading video files needs PyAV: `pip install av`.") from error
    return av


def _middle(image: Image, size: int) -> np.ndarray:
    """The middle of an image as uint8 (size, size, 3), after the short side was scaled to 8/7 of the size."""
    from PIL.Image import Resampling

    side = min(image.size) * _CROPPED
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((size, size), Resampling.BILINEAR, box=box))
