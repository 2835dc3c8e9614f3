# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose label`: bags with events and images."""

import json

import cv2
import fake_teachers
import numpy as np
import pytest
from bag_files import EVENT_PACKET, TOPIC, a_packet, cdr_of, write_mcap
from fake_teachers import teacher

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.footage.bag_frames import COMPRESSED, ENCODINGS, RAW, compressed, raw
from hybrid_pose_ros.recordings.labeled import load_labeled
from hybrid_pose_ros.recordings.message_types import typestore
from hybrid_pose_ros.tasks.skeleton import JOINTS

WIDTH, HEIGHT = 64, 48
HOST_NS = 1_700_000_000_000_000_000
"""Host time of the sensor's time 0."""
IMAGES = '/camera/image_raw'
KNEE, HAND = JOINTS.index('kneeR'), JOINTS.index('handL')


def header(stamp_ns):
    """Return a message header."""
    types = typestore().types
    return types['std_msgs/msg/Header'](
        stamp=types['builtin_interfaces/msg/Time'](*divmod(stamp_ns, 1_000_000_000)),
        frame_id='camera')


def image_message(image, encoding='mono8', stamp_ns=0, padding=0, big_endian=False):
    """Return an Image; rows have some bytes of padding."""
    rows = image.astype(image.dtype.newbyteorder('>' if big_endian else '<'))
    rows = rows.reshape(len(image), -1).view(np.uint8)
    rows = np.pad(rows, [(0, 0), (0, padding)])
    return typestore().types[RAW](
        header=header(stamp_ns), height=image.shape[0], width=image.shape[1], encoding=encoding,
        is_bigendian=int(big_endian), step=rows.shape[1], data=rows.ravel())


def images(times_us, origin_ns=HOST_NS, size=(HEIGHT, WIDTH), topic=IMAGES):
    """Return gray images as (topic, type, log time, bytes)."""
    return [(topic, RAW, HOST_NS + 1000 * t_us, bytes(typestore().serialize_cdr(
        image_message(np.full(size, 90, np.uint8), stamp_ns=origin_ns + 1000 * t_us), RAW)))
        for t_us in times_us]


def packets(duration_us=600_000, packet_us=10_000):
    """Return packets with an event per 100 us, stamped 2 ms late, the first one on time."""
    encoder, messages = Evt3Encoder(WIDTH, HEIGHT), []
    for seq, start_us in enumerate(range(0, duration_us, packet_us)):
        t = np.arange(start_us, start_us + packet_us, 100)
        events = event_array(t, t // 100 % WIDTH, t // 100 % HEIGHT, t // 100 % 2)
        stamp_ns = HOST_NS + 1000 * start_us + (2_000_000 if seq else 0)
        packet = a_packet(seq, encoder.encode(events), width=WIDTH, height=HEIGHT,
                          stamp_ns=stamp_ns)
        messages.append((TOPIC, EVENT_PACKET, stamp_ns, cdr_of(packet)))
    return messages


TIMES_US = range(-33_000, 660_000, 33_000)
"""Of the images: some are before the first or after the last event."""


@pytest.fixture
def bag(tmp_path):
    """A bag of a DAVIS whose images have stamps of the host."""
    return write_mcap(tmp_path / 'bag.mcap', packets() + images(TIMES_US))


def run(bag, folder, *arguments, source=fake_teachers.SEES_A_PERSON):
    """Return the exit status."""
    return main(['label', str(bag), '--output', str(folder / 'out.h5'), '--teacher',
                 str(teacher(folder / 'python', source)), *map(str, arguments)])


def refused(capsys, bag, folder, *arguments, **more):
    """Return the one line on stderr; nothing is written."""
    assert run(bag, folder, *arguments, **more) == 1
    line, = capsys.readouterr().err.splitlines()
    assert not list(folder.glob('out*'))
    return line


def test_a_bag_becomes_a_labeled_recording(capsys, tmp_path, bag):
    assert run(bag, tmp_path, '--overlay', '--json') == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    recording = load_labeled(tmp_path / 'out.h5')
    assert len(recording.events) == result['events'] == 6000
    assert recording.label_us.tolist() == list(range(0, 599_900, 33_000))
    joints, visible, _ = recording.joints_at(np.array([300_000]))
    assert joints[0, KNEE] == pytest.approx([0.56 * WIDTH - 0.5, 23.5], abs=1e-3)
    assert np.flatnonzero(~visible[0]).tolist() == [HAND]
    assert not recording.known_at(np.array([300_000]))[0, HAND]
    assert cv2.imread(str(tmp_path / 'out.png')) is not None


def test_images_may_have_stamps_of_the_sensor(tmp_path):
    """As those of libcaer_driver."""
    bag = write_mcap(tmp_path / 'bag.mcap', packets() + images(range(0, 600_000, 33_000), 0))
    assert run(bag, tmp_path) == 0
    assert load_labeled(tmp_path / 'out.h5').label_us.tolist() == list(range(0, 599_900, 33_000))


def test_stamps_can_be_late(tmp_path, bag):
    assert run(bag, tmp_path, '--delay-ms', 5) == 0
    assert load_labeled(tmp_path / 'out.h5').label_us[0] == 28_000


RIG = """
cameras:
  events: {image_width: 64, image_height: 48,
           camera_matrix: {data: [60, 0, 32, 0, 60, 24, 0, 0, 1]},
           distortion_model: plumb_bob, distortion_coefficients: {data: [0, 0, 0, 0, 0]},
           rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], translation_m: [-0.1, 0, 0]}
  frames: {image_width: 128, image_height: 96,
           camera_matrix: {data: [120, 0, 64, 0, 120, 48, 0, 0, 1]},
           distortion_model: plumb_bob, distortion_coefficients: {data: [0, 0, 0, 0, 0]},
           rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], translation_m: [0, 0, 0]}
"""


def test_a_second_camera_is_mapped_at_the_distance_of_the_person(capsys, tmp_path):
    """60 px focal length and 0.1 m apart: 2.4 px at 2.5 m, 6/2.2 - 6/2.5 px more 0.3 m nearer."""
    (tmp_path / 'rig.yaml').write_text(RIG)
    bag = write_mcap(tmp_path / 'bag.mcap', packets() + images(TIMES_US, size=(96, 128)))
    assert run(bag, tmp_path, '--rig', tmp_path / 'rig.yaml', '--cameras', 'events', 'frames',
               '--distance', 2.5, '--json') == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    joints, visible, _ = load_labeled(tmp_path / 'out.h5').joints_at(np.array([300_000]))
    ray = (0.56 * 128 - 0.5 - 64) / 120, (48 - 0.5 - 48) / 120
    assert joints[0, KNEE] == pytest.approx([32 + 60 * ray[0] - 2.4, 24 + 60 * ray[1]], abs=1e-3)
    assert result['parallax_px'] == pytest.approx(6 / 2.2 - 6 / 2.5, abs=1e-3)
    assert np.flatnonzero(~visible[0]).tolist() == [HAND]


def test_a_camera_that_the_rig_lacks_is_one_line(capsys, tmp_path, bag):
    (tmp_path / 'rig.yaml').write_text(RIG)
    assert 'the rig has no camera left, only events, frames' in refused(
        capsys, bag, tmp_path, '--rig', tmp_path / 'rig.yaml', '--cameras', 'events', 'left',
        '--distance', 2)


def test_a_bag_without_images_is_one_line(capsys, tmp_path):
    bag = write_mcap(tmp_path / 'bag.mcap', packets())
    assert f'has no images (sensor_msgs/msg/Image or CompressedImage), only {TOPIC}' in refused(
        capsys, bag, tmp_path)


def test_images_on_another_clock_are_one_line(capsys, tmp_path):
    bag = write_mcap(tmp_path / 'bag.mcap', packets() + images(TIMES_US, HOST_NS - 10 ** 13))
    assert 'expected both on one clock' in refused(capsys, bag, tmp_path)


def test_images_of_another_size_are_one_line(capsys, tmp_path):
    bag = write_mcap(tmp_path / 'bag.mcap', packets() + images(TIMES_US, size=(96, 128)))
    assert 'has 128x96 px, expected 64x48' in refused(capsys, bag, tmp_path)


def test_several_image_topics_ask_for_one(capsys, tmp_path):
    bag = write_mcap(tmp_path / 'bag.mcap', packets() + images(TIMES_US)
                     + images(TIMES_US, topic='/other'))
    assert f'choose one with --image-topic: {IMAGES}, /other' in refused(capsys, bag, tmp_path)
    assert 'has no image topic /third' in refused(capsys, bag, tmp_path, '--image-topic', '/third')
    assert run(bag, tmp_path, '--image-topic', '/other') == 0


@pytest.mark.parametrize('source, message', [
    (fake_teachers.SEES_NOBODY, 'shows nobody'), (fake_teachers.DIES, 'out of memory'),
    (fake_teachers.LACKS_MEDIAPIPE, 'pip install mediapipe')])
def test_a_teacher_that_fails_is_one_line(capsys, tmp_path, bag, source, message):
    assert message in refused(capsys, bag, tmp_path, source=source)


@pytest.mark.parametrize('arguments, message', [
    (('--rig', 'rig.yaml'), 'a second camera needs --rig, --cameras and --distance'),
    (('--delay-ms', 'nan'), '--delay-ms nan must be from'),
    (('--rig', 'r', '--cameras', 'a', 'b', '--distance', '0'), '--distance 0 must be from 0.1')])
def test_arguments_without_sense_are_one_line(capsys, tmp_path, bag, arguments, message):
    assert message in refused(capsys, bag, tmp_path, *arguments)


COLORS = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)


@pytest.mark.parametrize('padding', [0, 5])
@pytest.mark.parametrize('encoding, image, expected', [
    ('bgr8', COLORS, COLORS), ('rgb8', COLORS[..., ::-1], COLORS),
    ('bgra8', np.dstack([COLORS, COLORS[..., 0]]), COLORS),
    ('mono8', COLORS[..., 0], np.dstack(3 * [COLORS[..., 0]])),
    ('mono16', COLORS[..., 0] * np.uint16(256) + np.uint16(7), np.dstack(3 * [COLORS[..., 0]])),
    ('rgb16', COLORS[..., ::-1] * np.uint16(256), COLORS)])
def test_encodings_become_blue_green_and_red(encoding, image, expected, padding):
    assert np.array_equal(raw(image_message(image, encoding, padding=padding)), expected)


def test_16_bits_may_be_big_endian():
    image = COLORS[..., 0] * np.uint16(256)
    assert np.array_equal(raw(image_message(image, 'mono16', big_endian=True))[..., 0],
                          COLORS[..., 0])


@pytest.mark.parametrize('encoding', [name for name in ENCODINGS if name.startswith('bayer')])
def test_raw_colors_are_interpolated(encoding):
    assert raw(image_message(COLORS[..., 0], encoding)).shape == (6, 8, 3)


def test_bad_images_are_named():
    with pytest.raises(InputError, match="unknown image encoding 'yuv422'"):
        raw(image_message(COLORS, 'yuv422'))
    short = image_message(COLORS, 'bgr8')
    short.data = short.data[:-1]
    with pytest.raises(InputError, match='143 bytes are not an image of 8x6 px in bgr8'):
        raw(short)


def test_compressed_images_are_decoded():
    packed = cv2.imencode('.png', COLORS)[1]
    message = typestore().types[COMPRESSED](header=header(0), format='png', data=packed)
    assert np.array_equal(compressed(message), COLORS)
    message.data = packed[:20]
    with pytest.raises(InputError, match="format 'png' cannot be decoded"):
        compressed(message)
