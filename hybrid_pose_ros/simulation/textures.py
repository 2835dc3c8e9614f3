# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random patterns: cloth for the body, walls for the background."""

from dataclasses import dataclass

import numpy as np

from hybrid_pose_ros.simulation.body import MATERIALS, BodySettings
from hybrid_pose_ros.simulation.renderer import TEXELS_PER_M, TILE, Paint
from hybrid_pose_ros.settings import check, param


@dataclass(frozen=True)
class BackgroundSettings:
    """The wall behind the person. Albedos are linear, from 0 (black) to 1 (white)."""

    albedo: float = param(0.4, 'Mean albedo of the wall.', low=0.01, high=1.0)
    contrast: float = param(0.3, 'Standard deviation of the wall\'s log albedo.',
                            low=0.0, high=1.5)
    slope: float = param(1.2, 'Spectral slope: 0 = white noise, 2 = clouds.', low=0.0, high=3.0)
    gradient: float = param(0.2, 'Change of log albedo across the image.', low=0.0, high=2.0)
    shelves: int = param(4, 'Number of sharp-edged rectangles on the wall.', low=0, high=40)

    def __post_init__(self):
        check(self)


def noise_field(rng: np.random.Generator, shape: tuple[int, int], *, slope: float,
                cutoff: float = 0.5) -> np.ndarray:
    """Return a periodic random field (H, W) with mean 0 and standard deviation 1.

    Args:
        rng: random generator.
        shape: height and width.
        slope: the amplitude is proportional to frequency ** -slope.
        cutoff: highest frequency [cycles per pixel].
    """
    fy = np.fft.fftfreq(shape[0])[:, None]
    fx = np.fft.rfftfreq(shape[1])[None]
    frequency = np.hypot(fy, fx)
    lowest = 1.0 / max(shape)
    amplitude = np.maximum(frequency, lowest) ** -slope * np.exp(-(frequency / cutoff) ** 2)
    amplitude[0, 0] = 0.0
    white = np.fft.rfft2(rng.standard_normal(shape))
    field = np.fft.irfft2(white * amplitude, s=shape)
    return field / max(field.std(), 1e-12)


def _factors(log_albedo: np.ndarray) -> np.ndarray:
    """Return albedo factors with mean 1 from a field of log albedo."""
    factors = np.exp(log_albedo)
    return (factors / factors.mean()).astype(np.float32)


def cloth(rng: np.random.Generator, *, contrast: float, scale_m: float,
          stripes: float) -> np.ndarray:
    """Return a texture (TILE, TILE) of blotches and stripes across the limb, with mean 1.

    Args:
        rng: random generator.
        contrast: standard deviation of the log albedo.
        scale_m: size of a blotch or stripe [m].
        stripes: weight of the stripes, 0 to 1.
    """
    cutoff = min(1.0 / (4.0 * scale_m * TEXELS_PER_M), 0.16)
    blotches = noise_field(rng, (TILE, TILE), slope=0.6, cutoff=cutoff)
    bands = noise_field(rng, (TILE, TILE), slope=0.3, cutoff=cutoff)[:, :1]
    bands = bands / max(bands.std(), 1e-9)
    mixed = np.sqrt(1.0 - stripes) * blotches + np.sqrt(stripes) * bands
    return _factors(contrast * np.clip(mixed / max(mixed.std(), 1e-9), -2.0, 2.0))


def paint(rng: np.random.Generator, body: BodySettings) -> Paint:
    """Return the appearance of the body's materials."""
    albedo = np.array([getattr(body, name) for name in MATERIALS], np.float32)
    tiles = np.stack([
        cloth(rng, contrast=body.skin_contrast, scale_m=0.03, stripes=0.0)
        if name in ('skin', 'hair') else
        cloth(rng, contrast=body.cloth_contrast, scale_m=body.cloth_scale_m, stripes=body.stripes)
        for name in MATERIALS])
    return Paint(albedo, tiles)


def wall(rng: np.random.Generator, shape: tuple[int, int],
         settings: BackgroundSettings) -> np.ndarray:
    """Return the albedo (H, W) float32 of a wall with a gradient and rectangles."""
    height, width = shape
    log_albedo = settings.contrast * noise_field(rng, shape, slope=settings.slope, cutoff=0.25)
    angle = rng.uniform(0.0, 2.0 * np.pi)
    across = np.linspace(-0.5, 0.5, width)[None] * np.cos(angle) \
        + np.linspace(-0.5, 0.5, height)[:, None] * np.sin(angle)
    log_albedo += settings.gradient * across
    for _ in range(settings.shelves):
        w, h = rng.integers(8, max(width // 2, 9)), rng.integers(8, max(height // 2, 9))
        x, y = rng.integers(-w // 2, width), rng.integers(-h // 2, height)
        log_albedo[max(y, 0):y + h, max(x, 0):x + w] += rng.normal(0.0, settings.contrast)
    return np.clip(settings.albedo * np.exp(log_albedo), 0.005, 1.0).astype(np.float32)
