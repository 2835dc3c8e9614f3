#!/usr/bin/env python3
# Copyright 2026 The hybrid_pose_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Find phrases that engineers of this field do not write, and name what they write instead.

Reads Markdown outside of code, the comments of .msg and .yaml files, and the comments, docstrings
and other strings of Python files. Ends with 1 if it finds any.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import io
from pathlib import Path
import re
import sys
import tokenize
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CHECKED = ('README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs', 'launch', 'hybrid_pose_ros',
           'tools', 'test')
SUFFIXES = ('.md', '.msg', '.yaml', '.py')

# Regular expressions, matched as whole words in any case; a space stands for any white space, so
# that a phrase is found across a line break.
PHRASES = {
    'anew': 'again, from scratch',
    'besides?': 'next to, compared with, in addition to',
    'somebody|someone': 'a person, a user, another process',
    'of (ours|theirs)': 'our, their',
    'now and then|once in a while': 'periodically, occasionally',
    '(is|are|was|were|be|being|been|gets?) (told|said)': 'is reported, documented, logged',
    '(tells?|told|says?|said) (of|so)': 'reports, documents, logs',
    'looks? again|looks? at the scene|(a|each|every|last|first|next|its) looks?':
        'an ANN pass, an inference, an initialization',
    'lies? (in|at|under|beside)': 'is in, is stored in',
    '(go|goes|gone|went) round': 'wraps around',
    'lived? with': 'handled',
    '(is|are|was|were) meant to': 'should, is expected to',
    'so (much|many)(?! (that|as|more|less|fewer))': 'this amount, this number',
    'by so(?! (much|many))': 'by this amount',
    'be what': 'equal',
    'let go': 'release',
    'with nothing known': 'a reset',
    '(is|are) no(?! (longer|more|less|fewer|better|worse|wider|larger|later|smaller|matter))':
        'is not a, there is no',
    '(is|are) (?-i:none)': 'is not one of',
    'ma(de|kes?|king) up for': 'compensates',
    'put in as it is': 'used without replay',
    'takes? in|taken in|took in': 'receives',
    'gives? up|gave up|given up': 'discards, stops',
    '(come|comes|came|coming) (too )?late(r)?': 'arrives late, late joiner',
    '(ask|asks|asked|asking) for': 'requests',
    'who (comes?|stands?|stops?|asks?|wants?|waits?|calls?)':
        'a noun first: callers that, a person who',
    'him|himself': 'them, themselves',
    'no more(?! than)|not any more': 'no longer, not any further',
    'in silence': 'silently',
    'goes on|went on': 'continues',
    '(is|are|was|were) believed': 'is trusted',
    '(centre|metre|neighbour|colour|behaviour)s?|centred|centring|grey|labelled|labelling|'
    '(initialis|analys|normalis|optimis|synchronis|summaris)(e|es|ed|ing)': 'American spelling',
}

# Longer phrases that are right although they contain one of the list, and why.
ALLOWED = {
    'there (is|are|was|were) (no|none)': 'existence, not what something is',
    r'(people|person|users?|those|one) who \w+': 'the noun is there',
}

# Files and folders whose text is not rewritten yet.
NOT_YET = (
    'tools', 'test',
)

# The list itself and the examples of its test.
QUOTES_PHRASES = ('tools/check_prose.py', 'test/test_check_prose.py')

CODE = '\0'
"""Stands for code, so that no phrase is found across it."""


def pattern(phrase: str) -> re.Pattern:
    """Return the regular expression of a phrase in a text with line breaks."""
    return re.compile(rf'\b(?:{phrase})\b'.replace(' ', r'\s+'), re.IGNORECASE)


PATTERNS = {pattern(phrase): replacement for phrase, replacement in PHRASES.items()}
RIGHT = [pattern(phrase) for phrase in ALLOWED]


class Finding(NamedTuple):
    """A phrase of the list in a text."""

    line: int
    phrase: str
    replacement: str


def hide(match: re.Match) -> str:
    """Return a text of the same lines that contains no words."""
    return re.sub(r'[^\n]+', CODE, match[0])


def markdown_prose(text: str) -> str:
    """Return Markdown without blocks and spans of code, and without the targets of links."""
    return re.sub(r'```.*?```|`[^`\n]*`|\]\([^)\n]*\)', hide, text, flags=re.DOTALL)


def comments(text: str) -> str:
    """Return the comments of a text whose comments begin with #."""
    return '\n'.join(line.partition('#')[2] or CODE for line in text.split('\n'))


def python_prose(source: str) -> str:
    """Return the comments and strings of Python code, on the lines where they stand."""
    prose, line = '', 1
    between = False  # code since the last string or comment
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = tokenize.tok_name[token.type]
        if kind in ('COMMENT', 'STRING', 'FSTRING_MIDDLE'):
            prose += '\n' * (token.start[0] - line) + (CODE if between else ' ')
            prose += re.sub('[\'"#]', ' ', re.sub(r'\{[^{}\n]*\}|\\n', CODE, token.string))
            line, between = token.end[0], False
        elif kind not in ('NL', 'NEWLINE', 'INDENT', 'DEDENT'):
            between = True
    return prose


def prose(path: Path) -> str:
    """Return the text of a file that people read, line by line as in the file."""
    read = {'.md': markdown_prose, '.py': python_prose}.get(path.suffix, comments)
    return read(path.read_text(encoding='utf-8'))


def findings(text: str) -> Iterator[Finding]:
    """Find the phrases of the list in a text, except where they are part of an allowed one."""
    allowed = [match.span() for right in RIGHT for match in right.finditer(text)]
    for phrase, replacement in PATTERNS.items():
        for match in phrase.finditer(text):
            if not any(start <= match.start() and match.end() <= end for start, end in allowed):
                line = text.count('\n', 0, match.start()) + 1
                yield Finding(line, ' '.join(match[0].split()), replacement)


def checked_files(skipped: tuple[str, ...]) -> Iterator[Path]:
    """Return the files to read, without those that `skipped` names or whose folder it names."""
    for name in CHECKED:
        top = ROOT / name
        for path in sorted(top.rglob('*')) if top.is_dir() else [top]:
            inside = path.relative_to(ROOT)
            if path.suffix in SUFFIXES and not any(
                    inside.match(entry) or Path(entry) in inside.parents for entry in skipped):
                yield path


def main() -> int:
    """Print the findings; return 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('paths', nargs='*', type=Path, help='files; default: all that are done')
    paths = parser.parse_args().paths or checked_files(NOT_YET + QUOTES_PHRASES)
    status = 0
    for path in paths:
        for line, phrase, replacement in sorted(findings(prose(path))):
            print(f'{path.resolve().relative_to(ROOT)}:{line}: "{phrase}": write "{replacement}"')
            status = 1
    return status


if __name__ == '__main__':
    sys.exit(main())
