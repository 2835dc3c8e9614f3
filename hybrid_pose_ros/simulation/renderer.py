# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body's brightness image: rays against round cones, z-buffer, texture, shading, soft edges.

The brightness is float, so no 8-bit steps show up as events in the dark; an edge pixel mixes what
is in front with what is behind by the share of the pixel that it covers, so that an edge moves
smoothly between two frames without supersampling.

A round cone is the union of spheres between two spheres. Both its first hit with a ray and the
clearance of a ray that misses it are extrema over that family, and have closed forms.
"""

from typing import NamedTuple

import numba
import numpy as np

from hybrid_pose_ros.simulation.camera import Camera

NOTHING = -1
"""Part number of the background."""
TILE = 128
"""Edge of a texture [texels]; it repeats."""
TEXELS_PER_M = 128.0


class Lens(NamedTuple):
    """The intrinsics as the kernel wants them [px]."""

    fx: float
    fy: float
    skew: float
    cx: float
    cy: float


class Light(NamedTuple):
    """One distant key light and what comes from everywhere."""

    x: float  # unit vector towards the key light, camera frame
    y: float
    z: float
    ambient: float  # share of the light that has no direction, 0 to 1
    level: float  # brightness of a white surface in full light


class Solids(NamedTuple):
    """The cones of one frame in the camera's frame, farthest first. P cones."""

    start: np.ndarray  # (P, 3) [m]
    span: np.ndarray  # (P, 3) from start to end
    across: np.ndarray  # (P, 2, 3) unit vectors across the axis, for the texture
    radii: np.ndarray  # (P, 2)
    material: np.ndarray  # (P,) index into albedo and tiles
    part: np.ndarray  # (P,) number written into Canvas.part


class Paint(NamedTuple):
    """What the materials look like. M materials."""

    albedo: np.ndarray  # (M,)
    tiles: np.ndarray  # (M, TILE, TILE) float32, factors on the albedo


class Canvas(NamedTuple):
    """What is drawn into; `box` bounds what differs from the background: x0, y0, x1, y1."""

    brightness: np.ndarray  # (H, W) float32
    distance: np.ndarray  # (H, W) float32 along the ray [m], infinite where there is no body
    part: np.ndarray  # (H, W) int16, NOTHING where there is no body
    box: np.ndarray  # (4,) int64


def canvas(background: np.ndarray) -> Canvas:
    """Return a canvas that shows the background (H, W) and nobody."""
    return Canvas(background.astype(np.float32), np.full(background.shape, np.inf, np.float32),
                  np.full(background.shape, NOTHING, np.int16), np.zeros(4, np.int64))


def lens(camera: Camera) -> Lens:
    """Return the camera's intrinsics for the kernel."""
    k = camera.intrinsics
    return Lens(k[0, 0], k[1, 1], k[0, 1], k[0, 2], k[1, 2])


def solids(camera_points, radii, material) -> Solids:
    """Return the cones of one frame, farthest first.

    Args:
        camera_points: start, end and side of each cone in the camera's frame, (3, P, 3).
        radii: (P, 2) [m].
        material: (P,).
    """
    start, end, side = camera_points
    span = end - start
    other = np.cross(span, side)
    other /= np.maximum(np.linalg.norm(other, axis=-1, keepdims=True), 1e-9)
    order = np.argsort(-(start[:, 2] + end[:, 2]), kind='stable')
    across = np.stack([side, other], axis=1)
    return Solids(start[order], span[order], across[order], radii[order], material[order], order)


@numba.njit(cache=True)
def erase(view: Canvas, background: np.ndarray) -> None:
    """Put the background (H, W) back where the canvas differs from it."""
    x0, y0, x1, y1 = view.box
    for y in range(y0, y1):
        for x in range(x0, x1):
            view.brightness[y, x] = background[y, x]
            view.distance[y, x] = np.inf
            view.part[y, x] = NOTHING
    view.box[:] = 0


@numba.njit(cache=True)
def _reach(center, radius, axis, focal, skew, offset):
    """Return bounds [px] of a sphere's projection onto one image axis."""
    near, far = center[2] - radius, center[2] + radius
    low, high = center[axis] - radius, center[axis] + radius
    first = min(low / near, low / far)
    last = max(high / near, high / far)
    shear = skew * (center[1] / center[2])
    return focal * first + shear + offset, focal * last + shear + offset


@numba.njit(cache=True)
def _bounds(start, end, r0, r1, optics, width, height):
    ax0, ax1 = _reach(start, r0, 0, optics.fx, optics.skew, optics.cx)
    bx0, bx1 = _reach(end, r1, 0, optics.fx, optics.skew, optics.cx)
    ay0, ay1 = _reach(start, r0, 1, optics.fy, 0.0, optics.cy)
    by0, by1 = _reach(end, r1, 1, optics.fy, 0.0, optics.cy)
    x0 = min(max(np.floor(min(ax0, bx0)) - 1.0, 0.0), width)
    y0 = min(max(np.floor(min(ay0, by0)) - 1.0, 0.0), height)
    x1 = max(min(np.ceil(max(ax1, bx1)) + 1.0, width), 0.0)
    y1 = max(min(np.ceil(max(ay1, by1)) + 1.0, height), 0.0)
    return int(x0), int(y0), int(x1), int(y1)


@numba.njit(cache=True)
def _texture(tile, u, v):
    """Return a tile's value at (u, v) [m], between four texels."""
    u, v = u * TEXELS_PER_M, v * TEXELS_PER_M
    u0, v0 = int(np.floor(u)), int(np.floor(v))
    fu, fv = u - u0, v - v0
    u0, v0 = u0 & (TILE - 1), v0 & (TILE - 1)
    u1, v1 = (u0 + 1) & (TILE - 1), (v0 + 1) & (TILE - 1)
    upper = tile[u0, v0] + fv * (tile[u0, v1] - tile[u0, v0])
    lower = tile[u1, v0] + fv * (tile[u1, v1] - tile[u1, v0])
    return upper + fu * (lower - upper)


@numba.njit(cache=True, error_model='numpy')
def draw(view: Canvas, body: Solids, paint: Paint, optics: Lens, light: Light) -> None:
    """Draw a body onto the canvas and grow its box by what was drawn."""
    height, width = view.brightness.shape
    focal = 0.5 * (optics.fx + optics.fy)
    box_x0, box_y0, box_x1, box_y1 = width, height, 0, 0
    for i in range(len(body.part)):
        a0, a1, a2 = body.start[i]
        u0, u1, u2 = body.span[i]
        r0, r1 = body.radii[i]
        if min(a2, a2 + u2) < 2.0 * max(r0, r1):
            continue  # at or behind the lens
        end = body.start[i] + body.span[i]
        x0, y0, x1, y1 = _bounds(body.start[i], end, r0, r1, optics, width, height)
        if x0 >= x1 or y0 >= y1:
            continue
        box_x0, box_y0 = min(box_x0, x0), min(box_y0, y0)
        box_x1, box_y1 = max(box_x1, x1), max(box_y1, y1)
        p00, p01, p02 = body.across[i, 0]
        p10, p11, p12 = body.across[i, 1]
        dr = r1 - r0
        aa, au, uu = a0 * a0 + a1 * a1 + a2 * a2, a0 * u0 + a1 * u1 + a2 * u2, \
            u0 * u0 + u1 * u1 + u2 * u2
        length = np.sqrt(uu) + 1e-9
        widest = max(r0, r1) + 0.6 * max(a2, a2 + u2) / focal
        tile = paint.tiles[body.material[i]]
        albedo = paint.albedo[body.material[i]] * light.level
        part = body.part[i]
        offset = 0.37 * part
        for y in range(y0, y1):
            yn = (y + 0.5 - optics.cy) / optics.fy
            xn0 = (0.5 - optics.cx - optics.skew * yn) / optics.fx
            for x in range(x0, x1):
                xn = xn0 + x / optics.fx
                norm = 1.0 / np.sqrt(xn * xn + yn * yn + 1.0)
                da = (a0 * xn + a1 * yn + a2) * norm
                du = (u0 * xn + u1 * yn + u2) * norm
                # squared distance of the ray from the axis point at s is A + 2 B s + C s^2
                A, B, C = aa - da * da, au - da * du, uu - du * du + 1e-12
                nearest = min(max(-B / C, 0.0), 1.0)
                if A + nearest * (2.0 * B + C * nearest) > widest * widest:
                    continue
                # the sphere that the ray comes closest to
                if C > dr * dr:
                    bend = dr * np.sqrt(max(A - B * B / C, 0.0) / (C * (C - dr * dr)))
                    s = min(max(bend - B / C, 0.0), 1.0)
                else:
                    s = 1.0 if dr > 0.0 else 0.0
                beside = np.sqrt(max(A + s * (2.0 * B + C * s), 0.0))
                clearance = beside - r0 - s * dr
                t = da + s * du
                covered = 0.5 - clearance * focal / (t * norm)
                if covered <= 0.0:
                    continue
                if clearance < 0.0:
                    # first hit: the smallest t(s) = da + s du - sqrt(G0 + 2 G1 s + G2 s^2)
                    G0, G1, G2 = r0 * r0 - A, r0 * dr - B, dr * dr - C
                    if G2 < 0.0:
                        peak = max(G0 - G1 * G1 / G2, 0.0)
                        s_hit = -du * np.sqrt(peak / (G2 * (G2 - du * du))) - G1 / G2
                        s_hit = min(max(s_hit, 0.0), 1.0)
                    else:
                        s_hit = 1.0 if dr > 0.0 else 0.0
                    g = G0 + s_hit * (2.0 * G1 + G2 * s_hit)
                    if g > 0.0:
                        s = s_hit
                        t = da + s * du - np.sqrt(g)
                if t >= view.distance[y, x]:
                    continue
                h0, h1, h2 = t * norm * xn, t * norm * yn, t * norm
                n0, n1, n2 = h0 - a0 - s * u0, h1 - a1 - s * u1, h2 - a2 - s * u2
                facing = (n0 * light.x + n1 * light.y + n2 * light.z) / (
                    np.sqrt(n0 * n0 + n1 * n1 + n2 * n2) + 1e-9)
                lit = light.ambient + (1.0 - light.ambient) * max(0.77 * facing + 0.23, 0.0)
                q0, q1, q2 = h0 - a0, h1 - a1, h2 - a2
                along = (q0 * u0 + q1 * u1 + q2 * u2) / length
                first = q0 * p00 + q1 * p01 + q2 * p02
                second = q0 * p10 + q1 * p11 + q2 * p12
                # slanted through the limb, the pattern needs no seam
                shade = _texture(tile, along + 0.45 * second + offset,
                                 first + 0.7 * second + offset)
                bright = albedo * lit * shade
                if covered >= 1.0:
                    view.brightness[y, x] = bright
                else:
                    view.brightness[y, x] += covered * (bright - view.brightness[y, x])
                if covered >= 0.5:
                    view.distance[y, x] = t
                    view.part[y, x] = part
    if box_x0 < box_x1:
        view.box[0], view.box[1], view.box[2], view.box[3] = box_x0, box_y0, box_x1, box_y1
