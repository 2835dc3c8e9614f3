# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rendering of a body's brightness: ray casting of round cones, z-buffer, texture, soft edges.

Brightness is in floating point, so that 8-bit quantization does not cause events in dark regions.
Edge pixels blend foreground and background by coverage, so that edges move smoothly between frames
without supersampling.

A round cone is the union of the spheres interpolated between two spheres. The first intersection
with a ray, and the clearance of a ray that misses, are both extrema over these spheres and have
closed forms.
"""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.simulation.body import Cones
from hybrid_pose_ros.simulation.camera import Camera

KERNEL = {'cache': True, 'error_model': 'numpy',
          'fastmath': {'contract', 'arcp', 'nsz', 'reassoc'}}
F = np.float32  # plain literals would make the kernels double precision, at half the speed
NOTHING = -1
"""Part number that denotes the background."""
TILE = 128
"""Edge length of a texture tile [texels]; tiles repeat."""
TEXELS_PER_M = F(128.0)
SEAM_M = F(0.004)
"""Distance between the surfaces of two parts below which they are blended [m]."""


class Lens(NamedTuple):
    """Camera intrinsics for the kernel [px], float32."""

    fx: float
    fy: float
    skew: float
    cx: float
    cy: float


class Light(NamedTuple):
    """A distant key light and ambient light, float32."""

    x: float  # unit vector toward the key light, camera frame
    y: float
    z: float
    ambient: float  # ambient fraction of the light, 0 to 1
    level: float  # brightness of a white surface in full light


class Solids(NamedTuple):
    """Round cones in the camera frame, farthest first: (P,) for one frame, (F, P) for several."""

    start: np.ndarray  # (P, 3) float32 [m]
    span: np.ndarray  # (P, 3) float32, from start to end
    across: np.ndarray  # (P, 2, 3) float32, unit vectors across the axis, for the texture
    radii: np.ndarray  # (P, 2) float32
    material: np.ndarray  # (P,) int64, index into albedo and tiles
    part: np.ndarray  # (P,) int64, value to write into Canvas.part

    def frame(self, index: int) -> 'Solids':
        """Return the cones of one of several frames."""
        return Solids(*(field[index] for field in self))


class Paint(NamedTuple):
    """Appearance of M materials."""

    albedo: np.ndarray  # (M,) float32
    tiles: np.ndarray  # (M, TILE, TILE) float32, albedo factors


class Canvas(NamedTuple):
    """Output of the renderer."""

    brightness: np.ndarray  # (H, W) float32
    distance: np.ndarray  # (H, W) float32 along the ray [m], infinite in the background
    part: np.ndarray  # (H, W) int16, NOTHING in the background
    spans: np.ndarray  # (H, 2) int64: first column and end of pixels that may not be background


def canvas(background: np.ndarray) -> Canvas:
    """Return a canvas that shows only the background (H, W)."""
    shape = background.shape
    return Canvas(background.astype(np.float32), np.full(shape, np.inf, np.float32),
                  np.full(shape, NOTHING, np.int16), no_spans(shape))


def no_spans(shape: tuple[int, int]) -> np.ndarray:
    """Return an empty span (H, 2) for every row of an image."""
    return np.tile([shape[1], 0], (shape[0], 1))


def lens(camera: Camera) -> Lens:
    """Return the camera intrinsics for the kernel."""
    k = camera.intrinsics.astype(np.float32)
    return Lens(k[0, 0], k[1, 1], k[0, 1], k[0, 2], k[1, 2])


def solids(body: Cones, camera: Camera) -> Solids:
    """Return the cones of posed bodies in the camera frame, (F, P)."""
    start, end = camera.to_camera(body.start), camera.to_camera(body.end)
    side = body.side @ np.swapaxes(camera.rotation, -1, -2)
    span = end - start
    other = np.cross(span, side)
    other /= np.maximum(np.linalg.norm(other, axis=-1, keepdims=True), 1e-9)
    across = np.stack([side, other], axis=2)
    order = np.argsort(-(start[..., 2] + end[..., 2]), axis=1, kind='stable')
    row = np.arange(len(order))[:, None]
    start, span, across, radii = (field.astype(np.float32) for field in (
        start[row, order], span[row, order], across[row, order], body.radii[order]))
    return Solids(start, span, across, radii, body.material[order], order)


@njit(cache=True)
def erase(view: Canvas, background: np.ndarray) -> None:
    """Restore the background (H, W) within the spans of the canvas."""
    height, width = background.shape
    for y in range(height):
        for x in range(view.spans[y, 0], view.spans[y, 1]):
            view.brightness[y, x] = background[y, x]
            view.distance[y, x] = np.inf
            view.part[y, x] = NOTHING
        view.spans[y, 0], view.spans[y, 1] = width, 0


@njit(cache=True)
def see_wall(out: np.ndarray, wall: np.ndarray, homography: np.ndarray) -> None:
    """Fill an image (H, W) with a wall through a homography (3, 3) from pixels to texels."""
    rows, columns = wall.shape
    h = homography
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            px, py = x + 0.5, y + 0.5
            w = h[2, 0] * px + h[2, 1] * py + h[2, 2]
            u = (h[0, 0] * px + h[0, 1] * py + h[0, 2]) / w - 0.5
            v = (h[1, 0] * px + h[1, 1] * py + h[1, 2]) / w - 0.5
            u = min(max(u, 0.0), columns - 1.001)  # repeat the edge outside the wall
            v = min(max(v, 0.0), rows - 1.001)
            x0, y0 = int(u), int(v)
            fx, fy = u - x0, v - y0
            upper = wall[y0, x0] + fx * (wall[y0, x0 + 1] - wall[y0, x0])
            lower = wall[y0 + 1, x0] + fx * (wall[y0 + 1, x0 + 1] - wall[y0 + 1, x0])
            out[y, x] = upper + fy * (lower - upper)


@njit(cache=True)
def _reach(center, radius, axis, focal, skew, offset):
    """Return the bounds [px] of a sphere's projection onto one image axis."""
    near, far = center[2] - radius, center[2] + radius
    low, high = center[axis] - radius, center[axis] + radius
    shift = offset + skew * (center[1] / center[2])
    return focal * min(low / near, low / far) + shift, focal * max(high / near, high / far) + shift


@njit(cache=True)
def _bounds(start, end, r0, r1, optics, width, height):
    """Return the bounding box x0, y0, x1, y1 of the pixels that a cone may cover."""
    ax0, ax1 = _reach(start, r0, 0, optics.fx, optics.skew, optics.cx)
    bx0, bx1 = _reach(end, r1, 0, optics.fx, optics.skew, optics.cx)
    ay0, ay1 = _reach(start, r0, 1, optics.fy, F(0.0), optics.cy)
    by0, by1 = _reach(end, r1, 1, optics.fy, F(0.0), optics.cy)
    return (int(max(np.floor(min(ax0, bx0)) - 1, 0)), int(max(np.floor(min(ay0, by0)) - 1, 0)),
            int(min(np.ceil(max(ax1, bx1)) + 1, width)),
            int(min(np.ceil(max(ay1, by1)) + 1, height)))


@njit(cache=True)
def _texture(tile, u, v):
    """Return the value of a tile at (u, v) [m], interpolated bilinearly."""
    u, v = u * TEXELS_PER_M, v * TEXELS_PER_M
    u0, v0 = int(np.floor(u)), int(np.floor(v))
    fu, fv = u - F(u0), v - F(v0)
    u0, v0 = u0 & (TILE - 1), v0 & (TILE - 1)
    u1, v1 = (u0 + 1) & (TILE - 1), (v0 + 1) & (TILE - 1)
    upper = tile[u0, v0] + fv * (tile[u0, v1] - tile[u0, v0])
    lower = tile[u1, v0] + fv * (tile[u1, v1] - tile[u1, v0])
    return upper + fu * (lower - upper)


@njit(**KERNEL)
def _closest(A, B, C, dr):
    """Return the position s, 0 to 1, of the sphere closest to a ray; see _draw_cone."""
    if C <= dr * dr:  # one sphere contains the other
        return F(1.0) if dr > F(0.0) else F(0.0)
    lean = dr * np.sqrt(max(A - B * B / C, F(0.0)) / (C * (C - dr * dr)))
    return min(max(lean - B / C, F(0.0)), F(1.0))


@njit(**KERNEL)
def _first_hit(G0, G1, G2, du):
    """Return the position s, 0 to 1, of the first sphere that a ray enters.

    It minimizes t = da + s du - sqrt(G0 + 2 G1 s + G2 s^2).
    """
    if G2 >= F(0.0):
        return F(1.0) if G1 > F(0.0) else F(0.0)
    per_G2 = F(1.0) / G2
    peak = max(G0 - G1 * G1 * per_G2, F(0.0))
    s = -du * np.sqrt(peak * per_G2 / (G2 - du * du)) - G1 * per_G2
    return min(max(s, F(0.0)), F(1.0))


@njit(**KERNEL)
def _draw_cone(view, body, i, paint, optics, light, bounds):
    """Draw one cone; s runs along its axis from 0 to 1, t along the ray in meters."""
    a0, a1, a2 = body.start[i]
    u0, u1, u2 = body.span[i]
    p00, p01, p02 = body.across[i, 0]
    p10, p11, p12 = body.across[i, 1]
    r0, dr = body.radii[i, 0], body.radii[i, 1] - body.radii[i, 0]
    aa, au = a0 * a0 + a1 * a1 + a2 * a2, a0 * u0 + a1 * u1 + a2 * u2
    uu = u0 * u0 + u1 * u1 + u2 * u2
    per_length = F(1.0) / (np.sqrt(uu) + F(1e-9))
    focal = F(0.5) * (optics.fx + optics.fy)
    pixel = max(a2, a2 + u2) / focal  # [m], maximum pixel footprint on this cone
    outer2 = (max(r0, r0 + dr) + pixel) ** 2
    tile = paint.tiles[body.material[i]]
    part, offset = body.part[i], F(0.37) * F(body.part[i])
    albedo = paint.albedo[body.material[i]] * light.level
    x0, y0, x1, y1 = bounds
    for y in range(y0, y1):
        yn = (F(y) + F(0.5) - optics.cy) / optics.fy
        xn0 = (F(0.5) - optics.cx - optics.skew * yn) / optics.fx
        first, end = view.spans[y]
        brightness, distance, parts = view.brightness[y], view.distance[y], view.part[y]
        for x in range(x0, x1):
            xn = xn0 + F(x) * (F(1.0) / optics.fx)
            norm2 = F(1.0) / (xn * xn + yn * yn + F(1.0))
            da, du = a0 * xn + a1 * yn + a2, u0 * xn + u1 * yn + u2
            # the squared distance of the ray from the axis at s is A + 2 B s + C s^2
            A, B = aa - da * da * norm2, au - da * du * norm2
            C = uu - du * du * norm2 + F(1e-12)
            s = min(max(-B / C, F(0.0)), F(1.0))
            beside2 = A + s * (F(2.0) * B + C * s)
            if beside2 > outer2:
                continue
            norm = np.sqrt(norm2)
            da, du = da * norm, du * norm
            covered = F(1.0)
            if beside2 > max(r0 + s * dr - pixel, F(0.0)) ** 2:
                s = _closest(A, B, C, dr)
                clearance = np.sqrt(max(A + s * (F(2.0) * B + C * s), F(0.0))) - r0 - s * dr
                covered = min(F(0.5) - clearance * focal / ((da + s * du) * norm), F(1.0))
                if covered <= F(0.0):
                    continue
            G0, G1, G2 = r0 * r0 - A, r0 * dr - B, dr * dr - C
            hit = _first_hit(G0, G1, G2, du)
            g = G0 + hit * (F(2.0) * G1 + G2 * hit)
            if g > F(0.0):
                s = hit
            t = da + s * du - np.sqrt(max(g, F(0.0)))
            behind = distance[x] - t
            if behind <= -SEAM_M:
                continue
            if behind < SEAM_M:  # blend where two parts meet: a hard seam would flicker
                covered *= F(0.5) + behind * (F(0.5) / SEAM_M)
            q0, q1, q2 = t * norm * xn - a0, t * norm * yn - a1, t * norm - a2
            facing = ((q0 - s * u0) * light.x + (q1 - s * u1) * light.y
                      + (q2 - s * u2) * light.z) / (r0 + s * dr)
            lit = light.ambient + (F(1.0) - light.ambient) * max(
                F(0.77) * facing + F(0.23), F(0.0))
            along = (q0 * u0 + q1 * u1 + q2 * u2) * per_length
            second = q0 * p10 + q1 * p11 + q2 * p12
            # a diagonal pattern around the limb leaves no seam
            shade = _texture(tile, along + F(0.45) * second + offset,
                             q0 * p00 + q1 * p01 + q2 * p02 + F(0.7) * second + offset)
            bright = albedo * lit * shade
            if covered < F(1.0):
                bright = brightness[x] + covered * (bright - brightness[x])
            brightness[x] = bright
            if covered >= F(0.5):
                distance[x] = min(t, distance[x])
                parts[x] = part
            first, end = min(first, x), max(end, x + 1)
        view.spans[y, 0], view.spans[y, 1] = first, end


@njit(**KERNEL)
def draw(view: Canvas, body: Solids, paint: Paint, optics: Lens, light: Light) -> None:
    """Draw the bodies of one frame onto the canvas and extend its spans."""
    height, width = view.brightness.shape
    for i in range(len(body.part)):
        start, end, radii = body.start[i], body.start[i] + body.span[i], body.radii[i]
        if min(start[2], end[2]) < F(2.0) * max(radii[0], radii[1]):
            continue  # at or behind the lens
        bounds = _bounds(start, end, radii[0], radii[1], optics, width, height)
        _draw_cone(view, body, i, paint, optics, light, bounds)
