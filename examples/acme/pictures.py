"""The photos of the sample: imaginary landscapes, drawn from noise with libvips."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyvips

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Scene:
    """A sky, ridges one behind the other, and a lake that mirrors them."""

    width: int
    height: int
    seed: int
    shore: float  # where the water begins, as a part of the height
    zenith: Colour
    horizon: Colour
    far: Colour  # the farthest ridge
    near: Colour  # the nearest one
    cloud: Colour
    light: tuple[float, float]  # the sun or the moon, as parts of width and height
    light_colour: Colour
    glow: float  # how far the light spreads, as a part of the height
    clouds: float
    grain: float
    stars: bool = False


LAKE = Scene(
    1600,
    1067,
    11,
    0.66,
    (58, 92, 148),
    (250, 205, 160),
    (176, 160, 172),
    (22, 34, 38),
    (255, 226, 205),
    (0.515, 0.375),
    (255, 226, 170),
    0.30,
    0.85,
    2.0,
)
VALLEY = Scene(
    1067,
    1600,
    47,
    0.74,
    (44, 118, 186),
    (214, 232, 240),
    (146, 176, 196),
    (30, 52, 30),
    (255, 255, 255),
    (0.25, 0.12),
    (255, 250, 235),
    0.22,
    1.0,
    2.0,
)
NIGHT = Scene(
    840,
    560,
    83,
    0.70,
    (8, 12, 34),
    (52, 66, 104),
    (40, 50, 82),
    (6, 9, 16),
    (90, 100, 130),
    (0.27, 0.22),
    (236, 236, 220),
    0.16,
    0.35,
    0.0,
    True,
)


def solid(like: pyvips.Image, colour: Colour) -> pyvips.Image:
    return like.new_from_image(list(colour)).cast("float")


def mix(below: pyvips.Image, above: pyvips.Image, alpha: pyvips.Image) -> pyvips.Image:
    return below + (above - below) * alpha


def fractal(width: int, height: int, cell: int, seed: int, octaves: int = 5) -> pyvips.Image:
    """Noise about -1 to 1 with ever finer detail."""
    total = pyvips.Image.black(width, height).cast("float")
    for octave in range(octaves):
        size = max(2, cell >> octave)
        total += pyvips.Image.perlin(width, height, cell_size=size, seed=seed + octave) * (0.55**octave)
    return total


def skyline(rng: random.Random, width: int, roughness: float) -> list[float]:
    """A line of mountains between -1 and 1, by displacing midpoints."""
    points = [rng.uniform(-0.4, 0.4) for _ in range(5)]
    reach = 0.6
    while len(points) < width:
        finer: list[float] = []
        for left, right in pairwise(points):
            finer += [left, (left + right) / 2 + rng.uniform(-reach, reach)]
        points = [*finer, points[-1]]
        reach *= roughness
    return points[:width]


def plant(rng: random.Random, line: Sequence[float], tallest: float) -> list[float]:
    """Puts fir trees on a line (rows counted from the top)."""
    result = list(line)
    x = 0.0
    while x < len(line):
        tall = tallest * rng.uniform(0.35, 1.0)
        half = tall * rng.uniform(0.16, 0.24)
        for column in range(max(0, int(x - half)), min(len(line), int(x + half) + 1)):
            branch = rng.uniform(0.85, 1.0)
            result[column] = min(result[column], line[int(x)] - tall * (1 - abs(column - x) / half) * branch)
        x += rng.uniform(0.4, 2.2) * half
    return result


def sky(scene: Scene, x: pyvips.Image, y: pyvips.Image) -> pyvips.Image:
    shore = scene.shore * scene.height
    fall = (y / shore).clamp() ** 1.4
    image = mix(solid(x, scene.zenith), solid(x, scene.horizon), fall)
    across, down = scene.light[0] * scene.width, scene.light[1] * scene.height
    distance = ((x - across) ** 2 + (y - down) ** 2) ** 0.5
    if scene.stars:
        noise = pyvips.Image.gaussnoise(scene.width, scene.height, mean=0, sigma=1, seed=scene.seed)
        image += ((noise - 3.1) * 420).clamp(min=0, max=200).gaussblur(0.5) * (1 - fall * 0.8)
    stretched = fractal(scene.width // 4, scene.height, 110, scene.seed, 6).resize(4.2, vscale=1)
    veil = ((stretched.crop(0, 0, scene.width, scene.height) - 0.02) * 1.5).clamp() * scene.clouds
    image = mix(image, solid(x, scene.cloud), veil * (1 - fall * 0.5))
    halo = (distance * (-1.0 / (scene.glow * scene.height))).exp()
    image = mix(image, solid(x, scene.light_colour), halo * 0.85)
    disc = (scene.height * 0.022 - distance + 0.5).clamp()
    return mix(image, solid(x, scene.light_colour), disc)


def land(scene: Scene, image: pyvips.Image, y: pyvips.Image, layers: int = 5) -> pyvips.Image:
    rng = random.Random(scene.seed)  # noqa: S311 - a picture, nothing secret
    shore = scene.shore * scene.height
    for layer in range(layers):
        depth = layer / (layers - 1)
        base = shore - scene.height * (0.25 * (1 - depth) + 0.035)
        tall = scene.height * (0.15 * (1 - depth) + 0.03)
        line = [base - tall * point for point in skyline(rng, scene.width, 0.50 + 0.04 * (1 - depth))]
        if depth > 0.6:
            line = plant(rng, line, scene.height * (0.03 + 0.05 * (depth - 0.6) / 0.4))
        edge = pyvips.Image.new_from_array([line]).cast("float").replicate(1, scene.height)
        colour = tuple(f + (n - f) * depth**0.8 for f, n in zip(scene.far, scene.near, strict=True))
        texture = fractal(scene.width, scene.height, 48, scene.seed + 100 * layer, 6)
        slope = (texture - texture.embed(3, 2, scene.width, scene.height, extend="copy")) * 26 * (1 - depth * 0.6)
        mist = ((y - edge) / (scene.height * 0.20)).clamp() * 0.55 * (1 - depth)
        ground = solid(y, (colour[0], colour[1], colour[2])) + texture * 9 + slope
        ground = mix(ground, solid(y, scene.horizon), mist)
        image = mix(image, ground, (y - edge + 0.5).clamp())
    return image


def lake(scene: Scene, image: pyvips.Image, x: pyvips.Image, y: pyvips.Image) -> pyvips.Image:
    shore = int(scene.shore * scene.height)
    deep = ((y - shore) / (scene.height - shore)).clamp()
    waves = fractal(scene.width // 6, scene.height, 14, scene.seed + 9, 4).resize(6.2, vscale=1)
    waves = waves.crop(0, 0, scene.width, scene.height)
    source_y = (y * -1 + 2 * shore + waves * (deep * 34 + 3)).clamp(min=0, max=shore - 1)
    source_x = (x + waves * (deep * 10)).clamp(min=0, max=scene.width - 1)
    mirror = image.mapim(source_x.bandjoin(source_y), interpolate=pyvips.Interpolate.new("bilinear"), extend="copy")
    tint = solid(x, (scene.zenith[0] * 0.7, scene.zenith[1] * 0.75, scene.zenith[2] * 0.75))
    water = mix(mirror * 0.95, tint, deep * 0.30 + 0.06) + waves * deep * 12
    return mix(image, water, (y - shore + 0.5).clamp())


def paint(scene: Scene) -> pyvips.Image:
    grid = pyvips.Image.xyz(scene.width, scene.height).cast("float")
    x, y = grid[0], grid[1]
    image = lake(scene, land(scene, sky(scene, x, y), y), x, y)
    away = ((x / scene.width - 0.5) ** 2 + (y / scene.height - 0.5) ** 2) * 0.25
    image = image * (1 - away)
    if scene.grain:
        image += pyvips.Image.gaussnoise(scene.width, scene.height, mean=0, sigma=scene.grain, seed=scene.seed)
    return image.clamp(min=0, max=255).cast("uchar").copy(interpretation="srgb")


def write_jpeg(image: pyvips.Image, path: Path, orientation: int, taken: str) -> None:
    facts = {"Make": "Acme", "Model": "Pocket 3", "DateTime": taken, "ImageDescription": "Made up, drawn from noise"}
    tagged = image.copy()
    tagged.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    for name, value in facts.items():
        tagged.set_type(pyvips.GValue.gstr_type, f"exif-ifd0-{name}", value)
    tagged.jpegsave(str(path), Q=80, optimize_coding=True, interlace=True)


def write_lake(path: Path) -> None:
    write_jpeg(paint(LAKE), path, 1, "2026:10:18 07:42:10")


def write_valley(path: Path) -> None:
    """An upright picture, stored on its side as cameras do it: orientation 6 means to turn it clockwise."""
    write_jpeg(paint(VALLEY).rot270(), path, 6, "2026:08:02 13:05:51")


def write_night(path: Path) -> None:
    paint(NIGHT).pngsave(str(path), compression=9, palette=True, effort=10, dither=0.8, keep="none")
