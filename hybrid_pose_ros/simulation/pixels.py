# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled pixel model of an event sensor: brightness response, memory and events.

Each pixel low-passes the log of its brightness and stores a reference value. When the signal rises
above the reference by the ON threshold, the pixel emits an ON event; when it falls below it by the
OFF threshold, an OFF event. The reference then moves by the threshold. Between two images the
low-passed signal is interpolated linearly to compute the crossing times.

During the refractory period after an event the pixel is held in reset; afterwards it stores the
current signal as its reference.

Sources: ESIM (Rebecq et al., CoRL 2018) for crossing times; v2e (Hu et al., CVPRW 2021) for the
linear response in the dark, intensity-dependent bandwidth, leak and shot noise.
"""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.compiled import njit

F = np.float32
ONE = F(1.0)
DARK = F(20.0 / 255.0)
"""Brightness below which the response is linear."""
LOG_DARK = np.log(DARK)
SETTLED = F(1e-5)
"""Difference between level and log brightness below which a pixel has settled."""


class Pixels(NamedTuple):
    """Parameters and state of the pixels, (H, W), and the schedule of the rows.

    A pixel is not updated while its brightness is constant and its leak does not make it fire.
    """

    threshold_on: np.ndarray  # (H, W) float32 [log units]
    threshold_off: np.ndarray  # (H, W) float32, positive
    leak: np.ndarray  # (H, W) float32, decrease of the reference [log units / us]
    level: np.ndarray  # (H, W) float32, low-passed log of the brightness
    above: np.ndarray  # (H, W) float32, level minus reference at the last update
    touched_us: np.ndarray  # (H, W) float64, time of the last update
    blind_until: np.ndarray  # (H, W) float64 [us], end of the refractory period
    unsettled: np.ndarray  # (H, 2) int64, first column and end of pixels that have not settled
    due_us: np.ndarray  # (H,) float64, earliest time at which leak makes a pixel of the row fire


@njit(cache=True)
def response(brightness):
    """Return the log of a brightness (0 to 1); linear below DARK."""
    if brightness > DARK:
        return np.log(brightness)
    return LOG_DARK + brightness / DARK - ONE


@njit(cache=True)
def responses(image):
    """Return the response to an image (H, W)."""
    out = np.empty_like(image)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            out[y, x] = response(image[y, x])
    return out


@njit(cache=True)
def _low_passed(before, target, brightness, decay):
    """Return the exact step response of a one-pole low-pass; it is slower in the dark."""
    share = (F(255.0) * min(brightness, ONE) + F(20.0)) * F(1.0 / 275.0)
    left = (before - target) * np.exp(-decay * share)
    return target + left if abs(left) > SETTLED else target


@njit(cache=True)
def _append(out, count, t, x, y, p):
    """Append an event to the buffer; return the buffer, enlarged if full."""
    if count == len(out):
        full = out
        out = np.empty(2 * count, full.dtype)
        out[:count] = full
    out[count].t, out[count].x, out[count].y, out[count].p = t, x, y, p
    return out


@njit(cache=True)
def _fire(pixels, x, y, rise, start_us, duration, refractory_us, out, count):
    """Emit the events of a pixel during a linear change; return the buffer and its count."""
    rate, time = rise / duration, 0.0
    value, blind = float(pixels.above[y, x]), pixels.blind_until[y, x] - start_us
    on, off = pixels.threshold_on[y, x], pixels.threshold_off[y, x]
    while True:
        if blind > time:
            time, value = min(blind, duration), 0.0
        if rate == 0.0:
            break
        gap = on if rate > 0.0 else -off
        crossing = max(time + (gap - value) / rate, time)
        if crossing >= duration:
            break
        out = _append(out, count, start_us + int(crossing), x, y, rate > 0.0)
        count += 1
        time, value = crossing, 0.0
        blind = crossing + refractory_us
        pixels.blind_until[y, x] = start_us + blind
    pixels.above[y, x] = value + rate * (duration - time)
    return out, count


@njit(cache=True)
def _follow(pixels, y, first, last, image, gain, decay, start_us, end_us, crossing, rises):
    """Update the pixels of a row from the image; pixels that may fire are left to `_fire`.

    Writes the columns and changes of the latter into `crossing` and `rises`. Returns their number,
    and the first column and end of the pixels that have not settled.
    """
    levels, above, touched = pixels.level[y], pixels.above[y], pixels.touched_us[y]
    on, off, leak = pixels.threshold_on[y], pixels.threshold_off[y], pixels.leak[y]
    blind, brightness = pixels.blind_until[y], image[y]
    count, behind_first, behind_last = 0, len(levels), 0
    for x in range(first, last):
        bright = gain * brightness[x]
        target, before = response(bright), levels[x]
        after = target
        if target != before and decay > F(0.0):
            after = _low_passed(before, target, bright, decay)
            if after != target:
                behind_first, behind_last = min(behind_first, x), x + 1
        rise = after - before + leak[x] * F(end_us - start_us)
        if rise == F(0.0):
            continue
        begin = above[x] + leak[x] * F(start_us - touched[x])
        levels[x], touched[x] = after, end_us
        if -off[x] < begin + rise < on[x] and blind[x] <= start_us:
            above[x] = begin + rise
        else:
            above[x] = begin
            crossing[count], rises[count] = x, rise
            count += 1
    return count, behind_first, behind_last


@njit(cache=True)
def _next_leak(pixels, y, first, last, now_us):
    """Return the time [us] at which leak makes the first pixel of a row fire."""
    due = np.inf
    for x in range(first, last):
        if pixels.leak[y, x] > F(0.0):
            left = pixels.threshold_on[y, x] - pixels.above[y, x]
            due = min(due, now_us + left / pixels.leak[y, x])
    return due


@njit(cache=True)
def advance(pixels, image, gain, changed, start_us, end_us, cutoff_hz, refractory_us, out, count):
    """Advance from start to end, the time of the image; return the event buffer and count."""
    height, width = image.shape
    duration = float(end_us - start_us)
    decay = F(2e-6 * np.pi * cutoff_hz * duration)
    columns, rises = np.empty(width, np.int64), np.empty(width, np.float32)
    for y in range(height):
        first = min(changed[y, 0], pixels.unsettled[y, 0])
        last = max(changed[y, 1], pixels.unsettled[y, 1])
        due = pixels.due_us[y]
        leaks = due < np.inf
        if due < end_us:
            first, last, due = 0, width, np.inf
        # separating this loop from `_fire`, row by row, makes it four times faster
        crossing, behind_first, behind_last = _follow(
            pixels, y, first, last, image, gain, decay, start_us, end_us, columns, rises)
        for i in range(crossing):
            out, count = _fire(pixels, columns[i], y, rises[i], start_us, duration, refractory_us,
                               out, count)
        pixels.unsettled[y, 0], pixels.unsettled[y, 1] = behind_first, behind_last
        if leaks:
            due = min(due, _next_leak(pixels, y, first, last, end_us))
        pixels.due_us[y] = due
    return out, count


@njit(cache=True)
def disturb(pixels, times, columns, rows, polarities, refractory_us, out, count):
    """Make the given pixels fire unless they are refractory; return the buffer and its count."""
    for i in range(len(times)):
        x, y = columns[i], rows[i]
        if times[i] < pixels.blind_until[y, x]:
            continue
        out = _append(out, count, int(times[i]), x, y, polarities[i])
        count += 1
        pixels.above[y, x] = 0.0
        pixels.touched_us[y, x] = times[i]
        pixels.blind_until[y, x] = times[i] + refractory_us
    return out, count


@njit(cache=True)
def has_neighbor(events, last_us, window_us):
    """Return which events follow one of a neighboring pixel; updates last_us (H + 2, W + 2)."""
    keep = np.zeros(len(events), np.bool_)
    for i in range(len(events)):
        t, x, y = events[i].t, int(events[i].x) + 1, int(events[i].y) + 1
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                if (dx or dy) and t - last_us[y + dy, x + dx] <= window_us:
                    keep[i] = True
        last_us[y, x] = t
    return keep
