# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `hybrid-pose demo` deletes, and what it does not."""

from pathlib import Path

import pytest

from hybrid_pose_ros.cli import demo_folder
from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.errors import InputError

MADE = ('report.json', 'run.png', 'skeleton.mp4', 'skeleton.gif', 'rig.yaml',
        'logs/snn_tracker.log', 'logs/dhp19_2.recorder.log', 'logs/evaluator.log',
        'take/dhp19_2.h5',
        'bag/bag.mcap', 'bag/metadata.yaml', 'bag_1/bag_1.mcap', 'bags/dhp19_2/dhp19_2.mcap',
        'bags/dhp19_2/metadata.yaml', 'bags/dhp19_2_1/dhp19_2_1.mcap')
OF_THE_USER = ('bagels.txt', 'bag_of_my_experiment/run.mcap', 'bag/notes.txt', 'bag/mine.mcap',
               'logs/mine.log', 'take/mine.npz', 'report.txt', 'skeleton.svg',
               'other/report.json', 'other/logs/snn_tracker.log', 'bags/readme.md')


def fill(folder: Path, names: tuple[str, ...]) -> None:
    """Make files with these names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def files(folder: Path) -> set[str]:
    """Return the names of all files but the marker."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob('*')
            if path.is_file() and path.name != demo_folder.MARKER}


def test_a_demo_replaces_an_earlier_one_and_keeps_what_the_user_put_there(tmp_path):
    demo_folder.claim(tmp_path)
    fill(tmp_path, MADE + OF_THE_USER)
    demo_folder.claim(tmp_path)
    assert files(tmp_path) == set(OF_THE_USER)
    assert not (tmp_path / 'bag_1').exists() and (tmp_path / 'logs').is_dir()


@pytest.mark.parametrize('names', (('logs/mine.txt', 'bag_of_my_experiment/x'), ('bag/bag.mcap',),
                                   MADE))
def test_a_folder_without_the_marker_is_not_a_demos(tmp_path, names):
    """One with a folder `logs` passed for an earlier demo, and all its `bag*` were deleted."""
    fill(tmp_path, names)
    with pytest.raises(InputError, match='neither empty nor from an earlier demo'):
        demo_folder.claim(tmp_path)
    assert files(tmp_path) == set(names)


def test_links_are_not_followed(tmp_path):
    (tmp_path / 'elsewhere').mkdir()
    fill(tmp_path / 'elsewhere', ('snn_tracker.log',))
    demo_folder.claim(tmp_path / 'demo')
    (tmp_path / 'demo' / 'logs').rmdir()
    (tmp_path / 'demo' / 'logs').symlink_to(tmp_path / 'elsewhere')
    demo_folder.claim(tmp_path / 'demo')
    assert files(tmp_path / 'elsewhere') == {'snn_tracker.log'}


@pytest.mark.parametrize('arguments, said', (
    (['--preset', 'huge'], 'preset'), (['--seed', 'x'], 'seed'), (['--rate', '-1'], 'rate'),
    (['--checkpoint', 'none.safetensors'], 'no weights at'),
    (['--checkpoint', __file__], 'cannot be read as safetensors'),
    (['--cameras', '3'], 'no rig of 3'),
    (['--cameras', '2', '--preset', 'huge'], 'preset'),
    (['--recording', 'none.raw'], 'none.raw does not exist')))
def test_an_earlier_demo_is_kept_where_an_argument_is_wrong(tmp_path, capsys, arguments, said):
    demo_folder.claim(tmp_path)
    fill(tmp_path, MADE)
    assert main(['demo', '--output', str(tmp_path), *arguments]) == 1
    line, = capsys.readouterr().err.splitlines()
    assert said in line
    assert files(tmp_path) == set(MADE)
