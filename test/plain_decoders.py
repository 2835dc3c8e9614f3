# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""EVT3 and libcaer_cmp word by word in plain Python: what the compiled kernels must equal."""


class PlainEvt3:
    """One word at a time, no state but attributes."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.high, self.low, self.y, self.base, self.sign = 0, 0, 0, 0, 0
        self.roll_overs = 0
        self.joined = False

    def decode(self, words):
        """Return lists of (t, x, y, p) and of (t, id, edge)."""
        events, triggers = [], []
        high_seen = False
        for word in words:
            kind, payload = word >> 12, word & 0xFFF
            if not self.joined:
                if kind == 8:
                    expected = self.roll_overs * 4096 + self.high
                    self.roll_overs = max(range(self.roll_overs + 2), key=lambda turns: (
                        -abs(turns * 4096 + payload - expected), turns))
                    self.high, high_seen = payload, True
                elif kind == 6 and high_seen:
                    self.low, self.joined = payload, True
                continue
            t = (self.roll_overs << 24) + (self.high << 12) + self.low
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
                self.roll_overs += self.high - payload > 10
                self.roll_overs -= self.roll_overs > 0 and payload - self.high >= 4096 - 10
                self.high = payload
            elif kind == 10:
                triggers.append((t, payload >> 8, payload & 1))
        return [e for e in events if e[1] < self.width and e[2] < self.height], triggers


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
