# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Option names of 0.1.0, accepted with a notice until the next release."""

from collections.abc import Iterator, Sequence

FOLDER = {'--output-dir': '--output'}
RATE = {'--ann-rate': '--ann-rate-hz'}
SCORED = {**RATE, '--whole-sensor': '--no-region-of-interest', '--stride-ms': '--stride-us'}
RENAMED = {
    'demo': RATE, 'evaluate3d': SCORED, 'compare': SCORED,
    'bag': {**RATE, '--ann-delay-ms': '--ann-delay-us'},
    'evaluate': {**SCORED, '--ann-delay-ms': '--ann-delay-us',
                 '--ann-latency-ms': '--ann-latency-us',
                 '--pose-latency-ms': '--pose-latency-us'},
    'simulate': FOLDER, 'convert': FOLDER,
    'train': {'--out': '--output', '--ann-rate': '--ann-learning-rate',
              '--snn-rate': '--snn-learning-rate'}}
"""New option names of each verb, keyed by the old names; values in ms are converted to us."""


def with_new_names(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return a command line, verb first, with the old option names replaced, and the notices."""
    names = RENAMED.get(words[0], {}) if words else {}
    notices = [f'{name} is deprecated and will be removed in the next release: use {names[name]}'
               for name, _, _ in map(_parts, words) if name in names]
    return list(_renamed(iter(words), names)), notices


def _renamed(words: Iterator[str], names: dict[str, str]) -> Iterator[str]:
    for word in words:
        name, equals, value = _parts(word)
        if not name.endswith('-ms') or name not in names:
            yield names.get(name, name) + equals + value
        elif equals:
            yield f'{names[name]}={_us(value)}'
        else:
            yield names[name]
            yield from (_us(value) for value in [next(words, None)] if value is not None)


def _parts(word: str) -> tuple[str, str, str]:
    return word.partition('=')


def _us(milliseconds: str) -> str:
    """Return the number in microseconds; leave any other text for the parser to reject."""
    try:
        return str(round(1e3 * float(milliseconds)))
    except (ValueError, OverflowError):
        return milliseconds
