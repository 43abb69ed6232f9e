# Copyright 2026 mdepth_ros maintainers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""What is left out, why, and where a sequence ends."""

from dataclasses import replace

from camera_messages import image, ROS2
from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.prepare.options import PrepareOptions
from mdepth_ros.training.prepare.prepare import prepare
import numpy as np
import pytest
from recordings import (
    CAMERA,
    frame,
    PERIOD_NS,
    picture,
    sequences,
    stamp_of,
    tree,
    write,
)


def run(messages, folder, **options):
    """Return the report of the only source, and the stamps of its sequences in periods."""
    bag = write(folder, messages)
    report = prepare([bag], folder / 'out', PrepareOptions(**options), progress=False)
    source, = report.sources
    assert source.frames + sum(source.rejected.values()) == source.images
    found = [[round((entry.stamp_ns - stamp_of(0)) / PERIOD_NS, 3) for entry in index.frames]
             for index in sequences(folder / 'out')]
    assert [len(found), sum(map(len, found))] == [source.sequences, source.frames]
    return source, found


def frames(*indices, **how):
    return [m for index in indices for m in frame(index, **how)]


def test_a_pause_starts_a_sequence(tmp_path):
    messages = frames(0, 1, 2, 12, 13, 14, 25, 26, 27)
    source, found = run(messages, tmp_path)
    assert found == [[0, 1, 2, 12, 13, 14], [25, 26, 27]]
    assert source.rejected == {}
    _, found = run(messages, tmp_path / 'shorter', max_gap_s=0.95)
    assert found == [[0, 1, 2], [12, 13, 14], [25, 26, 27]]


def test_time_that_goes_back_starts_a_sequence(tmp_path):
    messages = frames(0, 1, 2, 3)
    for index in (4, 5, 6):
        messages += frame(index, stamp_ns=stamp_of(index - 4))
    _, found = run(messages, tmp_path)
    assert found == [[0, 1, 2, 3], [0, 1, 2]]


def test_another_camera_starts_a_sequence(tmp_path):
    other = Camera.from_fov(CAMERA.width, CAMERA.height, 60.0)
    _, found = run(frames(0, 1, 2) + frames(3, 4, 5, camera=other), tmp_path)
    assert found == [[0, 1, 2], [3, 4, 5]]
    first, second = sequences(tmp_path / 'out')
    assert np.array_equal(first.K, CAMERA.K)
    assert np.array_equal(second.K, other.K)


def test_a_lens_that_focuses_starts_none(tmp_path):
    messages = [message for index in range(6) for message in frame(
        index, camera=Camera.from_fov(CAMERA.width, CAMERA.height, 90.0 - 0.01 * index))]
    _, found = run(messages, tmp_path)
    assert found == [[0, 1, 2, 3, 4, 5]]


def test_short_sequences_are_dropped_and_leave_no_gap(tmp_path):
    source, found = run(frames(0, 1, 2, 20, 21, 40, 41, 42, 60), tmp_path)
    assert found == [[0, 1, 2], [40, 41, 42]]
    assert source.rejected == {'in a sequence of fewer than 3 frames': 3}
    assert sorted(path.name for path in (tmp_path / 'out' / 'run').iterdir()) == ['000', '001']


def test_static_frames(tmp_path):
    messages = frames(0, 1, 2)
    for index in range(3, 30):  # noise of one grey level, and longer than the longest pause
        noise = np.random.default_rng(index).integers(0, 2, (96, 160, 3), dtype=np.uint8)
        messages += frame(index, rgb=picture(2) // 2 * 2 + noise)
    messages += [m for index in (30, 31, 32) for m in frame(index, place=index - 27)]
    source, found = run(messages, tmp_path)
    assert found == [[0, 1, 2, 30, 31, 32]]
    assert source.rejected == {'static': 27}
    source, _ = run(messages, tmp_path / 'kept', keep_static=True)
    assert (source.frames, source.rejected) == (33, {})


def test_broken_images_are_counted_and_named(tmp_path):
    messages = frames(0, 1, 2, 3, 4, 5, 6)
    short = image(ROS2, stamp_of(2), picture(2))
    short.data = short.data[:-1]
    odd = image(ROS2, stamp_of(3), picture(3), 'nv21')
    for index, message in ((2, short), (3, odd)):
        messages[2 * index + 1] = ('/cam/image', stamp_of(index), message)
    raw = bytes(ROS2.serialize_cdr(short, 'sensor_msgs/msg/Image'))
    messages[9] = ('/cam/image', stamp_of(4), (raw[:50], 'sensor_msgs/msg/Image'))
    source, found = run(messages, tmp_path)
    assert found == [[0, 1, 5, 6]]
    assert source.rejected == {'broken image': 3}
    assert 'got 46079' in source.first['broken image']


def test_a_pause_of_usable_images_counts(tmp_path):
    messages = frames(0, 1, 2)
    for index in range(3, 14):
        message = image(ROS2, stamp_of(index), picture(index), 'nv21')
        messages.append(('/cam/image', stamp_of(index), message))
    _, found = run(messages + frames(14, 15, 16), tmp_path)
    assert found == [[0, 1, 2], [14, 15, 16]]


def test_images_before_their_camera_info_and_of_another_size(tmp_path):
    messages = frames(0, 1, info=False) + frames(2, 3, 4)
    messages += frame(5, rgb=np.ascontiguousarray(picture(5)[:48]))
    source, found = run(messages, tmp_path)
    assert found == [[2, 3, 4]]
    assert source.rejected == {'no camera info yet': 2, 'broken image': 1}
    assert source.first['broken image'] == 'image is 160 x 48, its camera info for 160 x 96'


def test_an_uncalibrated_camera_is_named(tmp_path):
    messages = frames(0, 1, 2)
    for topic, _, message in messages:
        if topic == '/cam/camera_info':
            message.k = np.zeros(9)
    with pytest.raises(MdepthError, match=r'0 of 3 images.*3 unusable camera info \(first: .*'
                                          r'camera is not calibrated'):
        run(messages, tmp_path)


def test_a_camera_that_cannot_be_rectified_rejects_its_images_alone(tmp_path):
    tiny = replace(CAMERA, K=CAMERA.K * [[1e-9, 1, 1], [1, 1, 1], [1, 1, 1]])
    messages = frames(0, 1, 2) + frame(3, camera=tiny) + frame(4, camera=tiny) + frames(5, 6, 7)
    source, found = run(messages, tmp_path)
    assert found == [[0, 1, 2, 5, 6, 7]]
    assert source.rejected == {'unusable camera info': 2}
    assert 'focal lengths must be at least 0.001 px' in source.first['unusable camera info']
    P = np.hstack([CAMERA.K, np.zeros((3, 1))])
    unknown = replace(CAMERA, distortion_model='double_sphere', P=P)
    source, found = run(frames(0, 1, 2) + frame(3, camera=unknown), tmp_path / 'unknown')
    assert found == [[0, 1, 2]]
    assert 'cannot undistort' in source.first['unusable camera info']


def test_stamps_that_repeat(tmp_path):
    messages = frames(0, 1)
    messages += frame(2, stamp_ns=stamp_of(1)) + frames(3, 4)
    source, found = run(messages, tmp_path)
    assert found == [[0, 1, 3, 4]]
    assert source.rejected == {'stamp repeats': 1}


def test_every_nth_image(tmp_path):
    source, found = run(frames(*range(8)), tmp_path, every=2)
    assert found == [[0, 2, 4, 6]]
    assert source.rejected == {'left out by --every': 4}
    _, found = run(frames(*range(8)), tmp_path / 'brisk', every=2, max_gap_s=0.15)
    assert found == [[0, 2, 4, 6]]
    # A pause between images that are left out is a pause.
    _, found = run(frames(*range(6), *range(20, 27)), tmp_path / 'pause', every=2)
    assert found == [[0, 2, 4], [20, 22, 24, 26]]


def test_nothing_left_is_an_error_that_counts(tmp_path):
    still = [m for index in range(5) for m in frame(index, place=0)]
    bags = [write(tmp_path, frames(0, 1, 2), name='good'), write(tmp_path, still, name='still')]
    expected = (r'nothing is left of still: 0 of 5 images in 0 sequences .*; '
                r'1 in a sequence of fewer than 3 frames; 4 static')
    for _ in range(2):  # the other source is kept, and the second call says the same
        with pytest.raises(MdepthError, match=expected) as error:
            prepare(bags, tmp_path / 'out', PrepareOptions(), progress=False)
        assert '\n' not in str(error.value)
    names = tree(tmp_path / 'out')
    assert 'good/000/frames.json' in names
    assert 'prepare.json' in names
    assert not [name for name in names if 'still' in name or 'journal' in name]
