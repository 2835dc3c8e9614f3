# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options by their names of 0.1.0, which are accepted with a notice until the next release."""

from collections.abc import Sequence

RATE = {'--ann-rate': '--ann-rate-hz'}
FOLDER = {'--output-dir': '--output'}
RENAMED = {
    'demo': RATE, 'evaluate': RATE, 'evaluate3d': RATE, 'compare': RATE, 'bag': RATE,
    'simulate': FOLDER, 'convert': FOLDER,
    'train': {'--out': '--output', '--ann-rate': '--ann-learning-rate',
              '--snn-rate': '--snn-learning-rate'}}
"""New names of the options of each verb by their old names."""


def with_new_names(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return a command line, which starts with the verb, with new names, and the notices."""
    names = RENAMED.get(words[0], {}) if words else {}
    renamed, notices = [], []
    for word in words:
        name, equals, value = word.partition('=')
        if name in names:
            notices.append(f'{name} is deprecated and will be removed in the next release: use '
                           f'{names[name]}')
        renamed.append(names.get(name, name) + equals + value)
    return renamed, notices
