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

"""What is found in a bag, and what is said when it cannot be."""

from contextlib import closing

from bags import write_bag, write_bag2
from camera_messages import camera_info, compressed, image, odometry, ROS2, STORES
from mdepth_ros.engine.camera import Camera
from mdepth_ros.messages.bag import (
    BagError,
    find_topics,
    first_message,
    is_bag,
    no_camera_info,
    open_bag,
)
from mdepth_ros.messages.rectified import says_rectified
import numpy as np
import pytest

CAMERA = Camera.from_fov(8, 6, 90.0)
PICTURE = np.zeros((6, 8, 3), np.uint8)
METRES = np.ones((6, 8), np.float32)
MILLIMETRES = np.ones((6, 8), np.uint16)


def topics_of(folder, messages, kind='mcap', **named):
    path = folder / ('made.bag' if kind == 'ros1' else 'made')
    write_bag(path, kind, [(topic, index, message)
                           for index, (topic, message) in enumerate(messages)])
    with closing(open_bag(path)) as reader:
        return find_topics(reader, **named)


@pytest.mark.parametrize('kind', ['ros1', 'sqlite3', 'mcap'])
def test_depth_is_told_from_the_picture_by_its_encoding(tmp_path, kind):
    store = STORES['ros1' if kind == 'ros1' else 'ros2']
    found = topics_of(tmp_path, [
        ('/aligned/image', image(store, 1, MILLIMETRES, '16UC1')),
        ('/cam/image', image(store, 1, PICTURE)),
        ('/cam/camera_info', camera_info(store, 1, CAMERA)),
        ('/odom', odometry(store, 1, (0.0, 0.0, 0.0)))], kind)
    assert (found.image, found.compressed) == ('/cam/image', False)
    assert (found.camera_info, found.odometry) == ('/cam/camera_info', '/odom')
    assert found.depth == '/aligned/image'


def test_compressed_depth_is_no_camera_and_its_raw_twin_comes_first(tmp_path):
    found = topics_of(tmp_path, [
        ('/cam/image/compressed', compressed(ROS2, 1, PICTURE, '.jpg')),
        ('/d/image', image(ROS2, 1, METRES, '32FC1')),
        ('/d/image/compressedDepth', compressed(ROS2, 1, MILLIMETRES, '.png',
                                                '16UC1; compressedDepth png', bytes(12)))])
    assert (found.image, found.compressed, found.depth) == (
        '/cam/image/compressed', True, '/d/image')


def test_mono16_is_depth_where_the_topic_says_so(tmp_path):
    found = topics_of(tmp_path, [('/thermal/image', image(ROS2, 1, MILLIMETRES, 'mono16')),
                                 ('/depth/image', image(ROS2, 1, MILLIMETRES, 'mono16'))])
    assert (found.image, found.depth) == ('/thermal/image', '/depth/image')


def test_what_is_named_as_depth_is_no_camera(tmp_path):
    messages = [('/cam/image', image(ROS2, 1, PICTURE)),
                ('/aligned/image', image(ROS2, 1, MILLIMETRES, 'mono16'))]
    with pytest.raises(BagError, match='several image topics'):
        topics_of(tmp_path / 'unnamed', messages)
    found = topics_of(tmp_path / 'named', messages, depth='/aligned/image')
    assert (found.image, found.depth) == ('/cam/image', '/aligned/image')


def test_of_several_depth_topics_none_is_taken_unless_named(tmp_path):
    messages = [('/cam/image', image(ROS2, 1, PICTURE)),
                ('/a/image', image(ROS2, 1, METRES, '32FC1')),
                ('/b/image', image(ROS2, 1, METRES, '32FC1'))]
    assert topics_of(tmp_path / 'none', messages).depth is None
    assert topics_of(tmp_path / 'named', messages, depth='/b/image').depth == '/b/image'
    with pytest.raises(BagError, match="no topic '/c'"):
        topics_of(tmp_path / 'wrong', messages, depth='/c')


def test_the_only_image_topic_is_the_camera(tmp_path):
    found = topics_of(tmp_path, [('/cam/image', image(ROS2, 1, PICTURE))])
    assert (found.image, found.camera_info, found.odometry, found.depth) == (
        '/cam/image', None, None, None)


def test_without_a_camera_info_the_others_are_named(tmp_path):
    write_bag(tmp_path / 'made', 'mcap', [
        ('/cam/image', 0, image(ROS2, 1, PICTURE)),
        *(('/other/info' + number, 0, camera_info(ROS2, 1, CAMERA)) for number in '21')])
    with closing(open_bag(tmp_path / 'made')) as reader:
        assert no_camera_info(reader, '/cam/image') == (
            'no CameraInfo for /cam/image; --camera-info-topic chooses among /other/info1, '
            '/other/info2')


def test_first_message(tmp_path):
    written = write_bag2(tmp_path / 'bag', 2)
    with closing(open_bag(tmp_path / 'bag')) as reader:
        first = first_message(reader, '/cam/image_raw')
        assert bytes(ROS2.serialize_cdr(first, 'sensor_msgs/msg/Image')) == written[0]
        with pytest.raises(BagError, match='has no message on /x'):
            first_message(reader, '/x')


@pytest.mark.parametrize(('topic', 'expected'), [
    ('/camera/image_rect', True), ('/left/image_rect_color/compressed', True),
    ('/camera/rect/image', True), ('/cam/rectified', True), ('/cam/image_rectified', True),
    ('/direct/image_raw', False), ('/rectangle/image', False), ('/camera/image_raw', False),
    ('/correct/image', False)])
def test_rectified_by_name(topic, expected):
    assert says_rectified(topic) is expected


def test_a_broken_image_of_another_topic_is_no_depth_and_no_obstacle(tmp_path):
    found = topics_of(tmp_path, [('/cam/image', image(ROS2, 1, PICTURE)),
                                 ('/rear/image', (b'\0\1\0\0junk', 'sensor_msgs/msg/Image'))],
                      image='/cam/image')
    assert (found.image, found.depth) == ('/cam/image', None)


def test_a_bag_that_has_lost_its_metadata(tmp_path):
    for part in ('a', 'b'):
        write_bag2(tmp_path / part, 2)
        (tmp_path / part / f'{part}.mcap').rename(tmp_path / f'{part}.mcap')
        (tmp_path / part / 'metadata.yaml').unlink()
        (tmp_path / part).rmdir()
    assert is_bag(tmp_path)
    with closing(open_bag(tmp_path)) as reader:
        assert len(list(reader.messages_on('/cam/image_raw'))) == 4


@pytest.mark.parametrize('given', ['RUN.MCAP', '.'])
def test_a_name_that_rosbags_would_not_read(tmp_path, given):
    (tmp_path / 'RUN.MCAP').write_bytes(b'')
    assert is_bag(tmp_path / given)
    with pytest.raises(BagError, match=r'RUN\.MCAP is no bag by its name, .*, in lower case$'):
        open_bag(tmp_path / given)


@pytest.mark.parametrize(('content', 'message'), [
    (None, 'no bag at'), (b'junk', 'is not a readable bag')])
def test_not_a_bag(tmp_path, content, message):
    path = tmp_path / 'x.mcap'
    if content:
        path.write_bytes(content)
    with pytest.raises(BagError, match=message) as error:
        open_bag(path)
    assert '\n' not in str(error.value)


def test_several_cameras_need_a_choice(tmp_path):
    write_bag2(tmp_path / 'bag', 1, image_topics=('/left/image', '/right/image'))
    with closing(open_bag(tmp_path / 'bag')) as reader:
        with pytest.raises(BagError, match='--image-topic: /left/image, /right/image'):
            find_topics(reader)
        with pytest.raises(BagError, match="no topic '/x', only: /cam/camera_info, /left"):
            find_topics(reader, image='/x')
        with pytest.raises(BagError, match=r'is sensor_msgs/msg/CameraInfo, expected'):
            find_topics(reader, image='/cam/camera_info')
        topics = find_topics(reader, image='/left/image')
    assert (topics.image, topics.camera_info, topics.odometry) == (
        '/left/image', '/cam/camera_info', None)


@pytest.mark.parametrize(('text', 'expected'), [
    ('rosbag2_bagfile_information:\n  version: 9\n', True), ('classes: [road, sky]\n', False)])
def test_a_bag_without_its_storage_is_told_by_its_metadata(tmp_path, text, expected):
    (tmp_path / 'metadata.yaml').write_text(text)
    assert is_bag(tmp_path) is expected


@pytest.mark.parametrize(('name', 'expected'), [
    ('run.bag', True), ('run.MCAP', True), ('run.db3', True), ('run.mp4', False),
    ('run/run_0.mcap', True), ('run/run_0.db3', True),
    # A ROS 1 bag is a file: the folder around it is a folder of something.
    ('run/run.bag', False), ('run/0001.png', False), ('run.mcap/0001.png', False)])
def test_bags_are_told_by_their_names(tmp_path, name, expected):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert is_bag(tmp_path / name.split('/')[0]) is expected
