# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""EVT3 and libcaer_cmp word by word in plain Python: what the compiled kernels must equal."""


class PlainEvt3:
    """One word at a time, no state but attributes. `high` counts 4096 us, roll-overs included."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.high, self.low, self.y, self.base, self.sign = 0, 0, 0, 0, 0
        self.before = None  # high before a jump that is not confirmed yet
        self.joined = self.high_seen = False

    def decode(self, words):
        """Return lists of (t, x, y, p) and of (t, id, edge)."""
        events, triggers = [], []
        if self.before is not None:
            self._confirm(words, may_be_series=False)
        for i, word in enumerate(words):
            kind, payload = word >> 12, word & 0xFFF
            if not self.joined:
                if kind == 8:
                    self.high = max(range(payload, self.high + 8192, 4096), key=lambda high: (
                        -abs(high * 4096 - self.high * 4096 - self.low), high))
                    self.high_seen = True
                elif kind == 6 and self.high_seen:
                    self.low, self.joined = payload, True
                continue
            t = (self.high << 12) + self.low
            if kind == 0:
                self.y = payload % 2048
            elif kind == 2:
                events.append((t, payload % 2048, self.y, payload // 2048))
            elif kind == 3:
                self.base, self.sign = payload % 2048, payload // 2048
            elif kind in (4, 5):
                span = 12 if kind == 4 else 8
                events.extend((t, self.base + bit, self.y, self.sign) for bit in range(span)
                              if payload >> bit & 1)
                self.base += span
            elif kind == 6:
                self.low = payload
            elif kind == 8:
                before, self.high = self.high, following_high(self.high, payload)
                if self.high - before > 10:
                    self.before = before
                    self._confirm(words[i + 1:], may_be_series=True)
            elif kind == 10:
                triggers.append((t, payload >> 8, payload & 1))
        return [e for e in events if e[1] < self.width and e[2] < self.height], triggers

    def _confirm(self, words, may_be_series):
        highs = [word & 0xFFF for word in words if word >> 12 == 8]
        if not highs:
            return
        over = following_high(self.high, highs[0])
        series = may_be_series and words[0] >> 12 == 8 and self.high - self.before == 2048
        if over - self.high > 10 and over != following_high(self.before, highs[0]) and not series:
            self.high = self.before
        self.before = None


def following_high(high, payload):
    """Return the first time from 10 before `high` on, and from 0 on, that `payload` can mean."""
    return next(value for value in range(max(high - 10, 0), high + 8192)
                if value % 4096 == payload)


class PlainLibcaerCmp:
    """One word at a time, no state but attributes."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.x, self.base, self.sign = 0, 0, 0

    def decode(self, words, time_base_us):
        """Return a list of (t, x, y, p)."""
        events = []
        high = low = 0
        for word in words:
            kind, payload = word >> 12, word & 0xFFF
            t = time_base_us + 4096 * high + low
            if kind == 0:
                high = payload
            elif kind == 1:
                low = payload
            elif kind == 2:
                self.x = payload % 2048
            elif kind == 3:
                events.append((t, self.x, payload % 2048, payload // 2048))
            elif kind == 4:
                self.base, self.sign = payload % 2048, payload // 2048
            elif kind == 5:
                events.extend((t, self.x, self.base + bit, self.sign) for bit in range(8)
                              if payload >> bit & 1)
                self.base += 8
        return [e for e in events if e[1] < self.width and e[2] < self.height]
