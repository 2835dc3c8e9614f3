# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Links between the pages, the length of the README, and the index of docs/."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / 'docs').glob('*.md'))
PAGES = [*(ROOT / name for name in ('README.md', 'CONTRIBUTING.md', 'SECURITY.md')), *DOCS]

FENCED = re.compile(r'^ {0,3}```.*?^ {0,3}```', re.DOTALL | re.MULTILINE)
CODE_SPAN = re.compile(r'(`+)(?!`).*?(?<!`)\1(?!`)', re.DOTALL)
TARGET = re.compile(r'\]\(\s*<?([^)\s>]+)')
LINK_DEFINITION = re.compile(r'^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)', re.MULTILINE)
EXTERNAL = re.compile(r'[a-z][a-z+.-]*:')


def links(text: str) -> list[str]:
    """Return the targets of links and images in Markdown, without code and external addresses."""
    text = CODE_SPAN.sub('', FENCED.sub('', text))
    return [target for target in TARGET.findall(text) + LINK_DEFINITION.findall(text)
            if not EXTERNAL.match(target)]


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    seen, found = Counter(), set()
    for heading in re.findall(r'^#{1,6} +(.+?)[ #]*$', FENCED.sub('', text), re.MULTILINE):
        words = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', heading).lower()
        anchor = re.sub(r'[^\w\- ]', '', words).replace(' ', '-')
        found.add(f'{anchor}-{seen[anchor]}' if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def broken_links(page: Path) -> list[str]:
    """Return the targets in a page that name no existing file, or no heading of a page."""
    broken = []
    for link in links(page.read_text(encoding='utf-8')):
        path, _, anchor = link.partition('#')
        target = page.parent / path if path else page
        if not target.exists() or (
                anchor and anchor not in anchors(target.read_text(encoding='utf-8'))):
            broken.append(link)
    return broken


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page):
    assert broken_links(page) == []


def test_the_index_has_one_line_per_page():
    listed = re.findall(r'^- \[([^\]]+)\]\(([^)]+)\): \S', (ROOT / 'docs/index.md').read_text(),
                        re.MULTILINE)
    assert all(name == target for name, target in listed)
    assert sorted(target for _, target in listed) == [
        page.name for page in DOCS if page.name != 'index.md']


def test_the_version_is_the_same_in_all_files():
    versions = {name: re.search(pattern, (ROOT / name).read_text(), re.MULTILINE)[1]
                for name, pattern in {'package.xml': r'<version>(.+)</version>',
                                      'setup.py': r"version='(.+)'",
                                      'CITATION.cff': r'^version: (\S+)',
                                      'CHANGELOG.rst': r'^(\d+\.\d+\.\d+) \('}.items()}
    assert len(set(versions.values())) == 1, versions


def test_the_readme_has_at_most_120_lines():
    assert len((ROOT / 'README.md').read_text().splitlines()) <= 120


@pytest.mark.parametrize(('heading', 'anchor'), [
    ('# Clocks, frames, units', 'clocks-frames-units'),
    ("## The paper's `ann_held`: 2 × as far", 'the-papers-ann_held-2--as-far'),
    ('### [Fusion](tracking.md#fusion) ###', 'fusion'),
    ('## État\n\n```\n# a comment\n```', 'état')])
def test_anchors_are_those_of_github(heading, anchor):
    assert anchors(heading) == {anchor}


def test_equal_headings_are_numbered():
    assert anchors('# A\n## B\n## B\n## B\n') == {'a', 'b', 'b-1', 'b-2'}


def test_broken_links_are_found(tmp_path):
    page = tmp_path / 'page.md'
    (tmp_path / 'other.md').write_text('# There\n')
    page.write_text('# Here\n[a](#here) [b](#nowhere) [c](other.md) [d](other.md#there)\n'
                    '[e](other.md#here) ![f](missing.png) [g](https://a.invalid/b) [h][i]\n'
                    '`[j](code.md)`\n```\n[k](code.md)\n```\n[i]: missing.md\n')
    assert broken_links(page) == ['#nowhere', 'other.md#here', 'missing.png', 'missing.md']
