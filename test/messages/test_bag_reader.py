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

"""Bags that are damaged in ways that rosbags does not foresee: one line, whatever it raises."""

from contextlib import closing

from bags import messages, write_bag2
from mdepth_ros.messages.bag import first_message, open_bag
from mdepth_ros.messages.bag_reader import BagError, BrokenMessageError
import pytest
from rosbags.rosbag2 import StoragePlugin
import yaml


def with_metadata(bag, change):
    """Change what metadata.yaml says."""
    path = bag / 'metadata.yaml'
    content = yaml.safe_load(path.read_text())
    change(content['rosbag2_bagfile_information'])
    path.write_text(yaml.safe_dump(content))


def topic(information):
    return information['topics_with_message_count'][0]


def a_name(information):
    topic(information)['topic_metadata']['name'] = 7


def two_lines(information):
    topic(information)['topic_metadata']['name'] = '/a\n/b'


def a_count(information):
    topic(information)['message_count'] = 'many'


def less_than_none(information):
    topic(information)['message_count'] = -1


def a_duration(information):
    information['duration']['nanoseconds'] = [1]


@pytest.mark.parametrize('change', [a_name, two_lines, a_count, less_than_none, a_duration])
def test_metadata_of_other_types(tmp_path, change):
    write_bag2(tmp_path / 'bag', 1)
    with_metadata(tmp_path / 'bag', change)
    with pytest.raises(BagError) as caught:
        open_bag(tmp_path / 'bag')
    assert '\n' not in str(caught.value)
    assert str(tmp_path / 'bag') in str(caught.value)


def test_metadata_that_rosbags_reads_only_when_it_closes_the_bag(tmp_path):
    write_bag2(tmp_path / 'bag', 1)
    with_metadata(tmp_path / 'bag', lambda information: information.update(files='all'))
    reader = open_bag(tmp_path / 'bag')
    with pytest.raises(BagError, match='is broken: AttributeError'):
        reader.close()


@pytest.mark.parametrize('text', ['[' * 9000, 'a: !!float abc', 'a: 2001-13-45', 'a: {1', '\xe4'],
                         ids=['deep', 'float', 'date', 'half', 'latin'])
def test_metadata_that_is_no_yaml(tmp_path, text):
    write_bag2(tmp_path / 'bag', 1)
    (tmp_path / 'bag/metadata.yaml').write_bytes(text.encode('latin-1'))
    with pytest.raises(BagError, match='is not a readable bag: ') as caught:
        open_bag(tmp_path / 'bag')
    assert '\n' not in str(caught.value)


def test_a_record_that_claims_more_bytes_than_there_is_memory(tmp_path):
    write_bag2(tmp_path / 'bag', 1)
    path = next((tmp_path / 'bag').glob('*.mcap'))
    data = path.read_bytes()
    path.write_bytes(data[:9] + (2**62).to_bytes(8, 'little') + data[17:])
    with pytest.raises(BagError, match='is not a readable bag: MemoryError'):
        open_bag(path)


def test_a_text_that_is_not_utf8(tmp_path):
    write_bag2(tmp_path / 'bag', 1)
    path = next((tmp_path / 'bag').glob('*.mcap'))
    path.write_bytes(path.read_bytes().replace(b'/cam/image_raw', b'/cam/imag\xf8_raw'))
    with pytest.raises(BagError, match='is not a readable bag: UnicodeDecodeError'):
        open_bag(path)


def test_a_database_that_breaks_while_it_is_read(tmp_path):
    write_bag2(tmp_path / 'bag', 3, storage=StoragePlugin.SQLITE3)
    path = next((tmp_path / 'bag').glob('*.db3'))
    data = path.read_bytes()
    # A page of pixels, which are only read with their message.
    path.write_bytes(data[:7 * 4096] + b'\xff' * 8 + data[7 * 4096 + 8:])
    with closing(open_bag(tmp_path / 'bag')) as reader, pytest.raises(
            BagError, match='is broken: CorruptError'):
        list(reader.messages())


def test_messages_of_some_topics(tmp_path):
    write_bag2(tmp_path / 'bag', 3)
    with closing(open_bag(tmp_path / 'bag')) as reader:
        def topics_of(*wanted):
            return [connection.topic for connection, _, _ in reader.messages_on(*wanted)]

        assert topics_of('/cam/image_raw', None) == ['/cam/image_raw'] * 3
        assert len(topics_of('/cam/image_raw', '/cam/camera_info')) == 6
        assert topics_of('/none') == topics_of() == []


def test_a_broken_message_is_not_a_broken_bag(tmp_path):
    write_bag2(tmp_path / 'bag', 2)
    reader = open_bag(tmp_path / 'bag')
    with pytest.raises(BrokenMessageError, match='has a broken sensor_msgs/msg/Image: '):
        reader.deserialize(b'\0\1\0\0\xff\xff\xff\xff', 'sensor_msgs/msg/Image')
    store = reader.typestore
    info, _ = messages(store, 0)
    assert first_message(reader, '/cam/camera_info').width == info.width
    reader.close()
