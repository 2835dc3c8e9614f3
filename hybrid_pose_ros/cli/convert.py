# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose convert`: convert public datasets to recordings, or the published weights."""

import argparse
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from hybrid_pose_ros.cli.evaluate import Bar
from hybrid_pose_ros.cli.executors import add_executor_arguments, executor
from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.datasets.dhp19_calibration import CAMERA_OF_CHANNEL
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.outputs import writing

SUMMARY = ('Convert DHP19 or Event-Human3.6M to labeled recordings, or published weights to '
           '.safetensors.')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: dataset, folders and selection."""
    parser.add_argument('dataset', choices=(*DATASETS, CHECKPOINT),
                        help="dataset to convert, or checkpoint: weights of the paper's hybrid")
    parser.add_argument('folder', metavar='DIR', type=Path,
                        help='folder of the dataset: DHP19 as published (DVS_movies, Vicon_data) '
                        'or the HDF5 files that the paper\'s code reads; Event-Human3.6M with '
                        'labels.h5; for checkpoint: the file (.pt)')
    add_output(parser, '--output', 'folder', required=True, metavar='DIR', type=Path,
               help='folder for the recordings, one per camera, or the weights (.safetensors)')
    parser.add_argument('--split', default='all', choices=('train', 'test', 'all'),
                        help="subjects of the paper's training or test split (all)")
    parser.add_argument('--channels', type=int, nargs='+', metavar='N',
                        help='cameras to convert (all four; the paper uses 2 and 3 of DHP19)')
    parser.add_argument('--crop', action='store_true', help=argparse.SUPPRESS)
    parser.add_argument('--takes', action='store_true',
                        help='write one folder per DHP19 recording, as evaluate3d requires')
    parser.add_argument('--paper-form', action='store_true',
                        help='write DHP19 in the format of the paper\'s code, with the camera '
                        'matrices, instead of recordings')
    add_executor_arguments(parser)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Convert; return the totals, and the rejected recordings with reasons."""
    if args.crop:
        print(CROP_NOTICE, file=sys.stderr)
    if args.dataset == CHECKPOINT:
        return _checkpoint(args.folder, args.output)
    from hybrid_pose_ros.datasets.conversion import convert_all
    conversions = DATASETS[args.dataset](args)
    present = sum(conversion.done for conversion in conversions)
    result = {'dataset': args.dataset, 'output': str(args.output),
              'recordings': len(conversions), 'present': present, 'files': 0, 'events': 0,
              'labels': 0, 'duration_s': 0.0}
    refused = []
    here = args.workers == 1 and args.dask is None
    bar = Bar(len(conversions) - present, args.dataset)
    with nullcontext() if here else executor(args) as workers, bar:
        for facts in convert_all(conversions, workers):
            bar.advance(args.dataset)
            if 'refused' in facts:
                refused.append(facts['refused'])
                print(f'refused: {facts["refused"]}', file=sys.stderr)
                continue
            for name, value in facts.items():
                result[name] += value
    if len(refused) == len(conversions):
        raise InputError(f'none of {len(conversions)} recordings could be converted: {refused[0]}')
    return result | {'refused': refused}


def kept(args: argparse.Namespace) -> str:
    """Return what an interrupt keeps."""
    return (f'the finished recordings in {args.output} are kept: run the same command again '
            'to convert the rest')


def show(result: dict[str, Any]) -> None:
    """Print the totals."""
    if 'weights' in result:
        print(f'{result["weights"]}: weights of preset {result["preset"]}')
        return
    print(f'{result["files"]} files of {result["duration_s"]:.1f} s, {result["events"]} events '
          f'and {result["labels"]} labels in {result["output"]}; of {result["recordings"]} '
          f'recordings {result["present"]} existed, {len(result["refused"])} were rejected')


def _checkpoint(path: Path, folder: Path) -> dict[str, Any]:
    """Convert the weights of a published hybrid; return the path of the result."""
    from hybrid_pose_ros.networks.published import published_hybrid
    weights = published_hybrid(path)
    written = folder / f'{weights.preset.name}.safetensors'
    with writing(written):
        weights.save(written)
    return {'weights': str(written), 'preset': weights.preset.name}


def _dhp19(args: argparse.Namespace) -> list:
    from hybrid_pose_ros.datasets import dhp19
    from hybrid_pose_ros.datasets.conversion import Conversion, write_ours
    channels = _chosen(args.channels, dhp19.CHANNELS)
    folder = args.output.resolve()  # the converting process may have another working directory
    if args.paper_form:
        return _paper_form(args, channels, folder)
    return [Conversion(partial(files.load, channels),
                       tuple(folder / _file_name(str(files.name), channel, args.takes)
                             for channel in channels), partial(write_ours, encoding='dhp19'))
            for files in dhp19.find(args.folder.resolve(), args.split)]


def _paper_form(args: argparse.Namespace, channels: list[int], folder: Path) -> list:
    from hybrid_pose_ros.datasets import dhp19, dhp19_hdf5
    from hybrid_pose_ros.datasets.conversion import Conversion, make_folders
    if args.takes:
        raise InputError('--paper-form writes all recordings to one folder: omit --takes')
    found = dhp19.find(args.folder.resolve(), args.split)
    make_folders([folder])
    dhp19_hdf5.save_matrices(folder)
    return [Conversion(partial(files.load, channels),
                       (folder / f'{files.name}{dhp19_hdf5.EVENTS_END}',
                        folder / f'{files.name}{dhp19_hdf5.LABELS_END}'),
                       partial(_write_paper_form, channels=channels)) for files in found]


def _write_paper_form(recordings: list, paths: tuple[Path, ...], *, channels: list[int]) -> None:
    from hybrid_pose_ros.datasets.dhp19_hdf5 import write_recording
    write_recording(recordings, channels, *paths)


def _h36m(args: argparse.Namespace) -> list:
    from hybrid_pose_ros.datasets import h36m
    from hybrid_pose_ros.datasets.conversion import Conversion, write_ours
    if args.takes or args.paper_form:
        raise InputError('--takes and --paper-form require DHP19: the camera poses of '
                         'Event-Human3.6M are unknown')
    cameras = _chosen(args.channels, h36m.CAMERAS)
    folder = args.output.resolve()
    found = [files for files in h36m.find(args.folder.resolve(), args.split)
             if files.camera in cameras]
    if not found:
        raise InputError(f'{args.folder} has no sequences of the cameras '
                         f'{", ".join(map(str, cameras))}')
    return [Conversion(files.load, (folder / f'{files.name}.h5',),
                       partial(write_ours, encoding='h36m')) for files in found]


def _chosen(channels: list[int] | None, known: range) -> list[int]:
    chosen = list(known) if channels is None else sorted(set(channels))
    if not set(chosen) <= set(known):
        raise InputError(f'--channels {" ".join(map(str, chosen))}: expected some of '
                         f'{", ".join(map(str, known))}')
    return chosen


def _file_name(name: str, channel: int, takes: bool) -> str:
    """Return the output path of a DHP19 channel; in a take it is named after the rig's camera."""
    if takes:
        return f'{name}/dhp19_{CAMERA_OF_CHANNEL[channel]}.h5'
    return f'{name}_cam{channel}.h5'


CHECKPOINT = 'checkpoint'
CROP_NOTICE = ('--crop is ignored and will be removed: recordings keep the events of the whole '
               'image, and preset paper crops them when counting, as published')
DATASETS = {'dhp19': _dhp19, 'h36m': _h36m}
