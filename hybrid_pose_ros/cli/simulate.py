# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose simulate`: simulate events and labels of a person, or convert videos of people."""

import argparse
import dataclasses
import statistics
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from hybrid_pose_ros.cli import simulate_video
from hybrid_pose_ros.cli.executors import add_executor_arguments, executor
from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.outputs import claim
from hybrid_pose_ros.recordings.rig_files import save_rig
from hybrid_pose_ros.settings import parameters_of
from hybrid_pose_ros.simulation.camera import CAMERAS, Camera, camera, random_camera
from hybrid_pose_ros.simulation.corpus import RIG_FILE, make, motion_files, plan
from hybrid_pose_ros.simulation.kinds import KINDS
from hybrid_pose_ros.simulation.motion_capture import StagedMotion, load_capture
from hybrid_pose_ros.simulation.motions import ACTIVITIES, DEMO, GeneratedMotion
from hybrid_pose_ros.simulation.recording import WARM_UP_US, record
from hybrid_pose_ros.simulation.scene import SimulatedScene
from hybrid_pose_ros.simulation.scene_settings import IDEAL, OFFICE, SceneSettings, random_scene

SUMMARY = 'Simulate the events and labels of a person, or generate them from videos of people.'
SCENES = ('office', 'ideal', 'random')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument('--motion', default='demo', metavar='FILE|NAMES',
                        help='motion capture (.npz), or built-in motions: "demo", "all", or some '
                        f'of {", ".join(ACTIVITIES)}, comma-separated (demo)')
    add_output(parser, '--output', _kind_of_output, metavar='PATH',
               help='recording to write (.h5); with --corpus or --video, folder for the '
               'recordings')
    parser.add_argument('--camera', default='davis346-front', choices=(*CAMERAS, 'random'))
    parser.add_argument('--scene', default='office', choices=SCENES,
                        help='office: sensor in a lit room; ideal: ideal sensor; random: all '
                             'settings random (office)')
    parser.add_argument('--set', action='append', default=[], metavar='GROUP.NAME=VALUE',
                        dest='changes', help='change a setting, such as sensor.threshold_on=0.3')
    parser.add_argument('--duration', type=float, metavar='S',
                        help='duration in sensor time [s] (length of the capture; 10 for built-in '
                        'motions and for the clips of a corpus)')
    parser.add_argument('--seed', type=int, default=0)
    corpus = parser.add_argument_group('a corpus: many clips with random settings')
    corpus.add_argument('--corpus', metavar='DIR', help='folder with motion capture (.npz)')
    corpus.add_argument('--clips', type=int, default=100)
    corpus.add_argument('--kind', default='any', choices=KINDS,
                        help='kind of clips to simulate; see docs/simulation.md (any)')
    corpus.add_argument('--cameras', type=int, default=1, metavar='N',
                        help='simulate 2 (the front ones) or 4 DHP19 cameras that see the same '
                        'person; each clip is then a folder with one recording per camera and '
                        'their calibration, rig.yaml (1: the camera of the kind)')
    corpus.add_argument('--own', type=float, default=0.1, metavar='SHARE',
                        help='fraction of the clips that show built-in motions (0.1)')
    add_executor_arguments(corpus)
    simulate_video.add_arguments(parser)


def run(args: argparse.Namespace) -> dict:
    """Simulate one recording or a corpus."""
    if args.duration is not None and not 0.01 <= args.duration <= 86_400.0:
        raise InputError(f'--duration {args.duration} must be from 0.01 to 86400 s')
    if args.video:
        return simulate_video.run(args, partial(_changed_settings, args.scene, args.changes))
    if args.corpus is not None:
        return _run_corpus(args)
    if args.output is None:
        raise InputError('no output: pass --output FILE.h5 (or --corpus for a corpus, --video '
                         'for videos)')
    rng = np.random.default_rng([args.seed, 4])
    settings = _changed_settings(args.scene, args.changes, rng)
    view: Camera = random_camera(rng) if args.camera == 'random' else camera(args.camera)
    motion, scene_s = _motion(args, settings)
    scene = SimulatedScene(motion, view, settings, seed=args.seed,
                           duration_us=round(scene_s * 1e6))
    with _progress('s of sensor time') as progress:
        task = progress.add_task('simulate', total=scene_s)
        return record(scene, args.output, seed=args.seed, motion=Path(args.motion).name,
                      progress=lambda end_us: progress.update(task, completed=end_us * 1e-6))


def _kind_of_output(args: argparse.Namespace) -> str:
    return 'new file' if args.corpus is None and not args.video else 'folder'


def kept(args: argparse.Namespace) -> str:
    """Return what an interrupt keeps."""
    if _kind_of_output(args) == 'new file':
        return 'nothing was written: recordings are never partial'
    return f'the finished clips in {args.output} are kept: rerun the command for the rest'


def show(result: dict) -> None:
    """Print a summary."""
    if 'videos' in result:
        simulate_video.show(result)
        return
    if 'clips' in result:
        print(f'{result["made"]} clips simulated, {result["present"]} existed, in '
              f'{result["output"]}; median {result["events_per_s"] / 1e3:.0f} k events/s')
        return
    print(f'{result["output"]}: {result["duration_s"]:.2f} s, {result["events"]} events '
          f'({result["events_per_s"] / 1e3:.0f} k events/s), {result["labels"]} labels; '
          f'{result["core_s_per_s"]:.2f} s of one core per second')


def changed(settings: SceneSettings, changes: list[str]) -> SceneSettings:
    """Return the settings with changes such as 'sensor.threshold_on=0.3' applied.

    Raises:
        InputError: a change names an unknown setting, or a value is invalid.
    """
    groups = {field.name: field.type for field in dataclasses.fields(settings)}
    for change in changes:
        name, _, text = change.partition('=')
        group, _, key = name.partition('.')
        if group not in groups:
            raise InputError(f'--set {change}: unknown group, choose from {", ".join(groups)}')
        known = {p.name: p.type for p in parameters_of(groups[group])}
        if key not in known:
            raise InputError(f'--set {change}: unknown setting of {group}, choose from '
                             f'{", ".join(known)}')
        value = _parsed(change, text, known[key])
        part = dataclasses.replace(getattr(settings, group), **{key: value})
        settings = dataclasses.replace(settings, **{group: part})
    return settings


def _parsed(change: str, text: str, kind: type):
    try:
        return {'true': True, 'false': False}[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        raise InputError(f'--set {change}: {text!r} is not of type {kind.__name__}') from None


def _settings(scene: str, rng: np.random.Generator) -> SceneSettings:
    return random_scene(rng) if scene == 'random' else {'office': OFFICE, 'ideal': IDEAL}[scene]


def _changed_settings(scene: str, changes: list[str], rng: np.random.Generator) -> SceneSettings:
    """Return the settings selected by --scene and --set."""
    return changed(_settings(scene, rng), changes)


def _motion(args: argparse.Namespace, settings: SceneSettings):
    """Return the motion and the length of the scene [s], including the unrecorded warm-up."""
    warm_up_s = WARM_UP_US * 1e-6
    scene_s = None if args.duration is None else args.duration + warm_up_s
    if args.motion.endswith('.npz'):
        motion = StagedMotion(load_capture(args.motion), settings.staging, seed=args.seed,
                              duration_s=scene_s)
        return motion, motion.duration_s
    names = {'demo': DEMO, 'all': tuple(ACTIVITIES)}.get(args.motion, args.motion.split(','))
    return GeneratedMotion(args.seed, names), scene_s or 10.0 + warm_up_s


def _run_corpus(args: argparse.Namespace) -> dict:
    if args.output is None:
        raise InputError('no folder for the clips: pass --output DIR')
    if args.clips < 1 or not 0.0 <= args.own <= 1.0:
        raise InputError('--clips must be at least 1, --own from 0 to 1')
    files, folder = motion_files(args.corpus, args.kind), Path(args.output)
    settings = {'seed': args.seed, 'duration_s': args.duration or 10.0, 'own_share': args.own,
                'kind': args.kind, 'cameras': args.cameras}
    clips = plan(files, folder, clips=args.clips, **settings)
    claim(folder, settings | {'motions': [file.name for file in files]})
    if args.cameras > 1:
        save_rig(dhp19_rig(args.cameras), folder / RIG_FILE)
    present = sum(clip.path.exists() for clip in clips)
    rates = []
    with executor(args) as workers, _progress('clips') as progress:
        task = progress.add_task('simulate', total=len(clips), completed=present)
        for facts in make(clips, workers):
            rates.append(facts['events_per_s'])
            progress.advance(task)
    return {'output': args.output, 'clips': len(clips), 'made': len(rates),
            'present': present, 'events_per_s': statistics.median(rates) if rates else 0.0}


def _progress(unit: str) -> Progress:
    """Return a progress bar on stderr, if it is a terminal."""
    console = Console(stderr=True)
    return Progress(TextColumn('{task.description}'), BarColumn(),
                    TextColumn(f'{{task.completed:.1f}}/{{task.total:.1f}} {unit}'),
                    TimeRemainingColumn(), console=console, disable=not console.is_terminal)
