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

import datetime
import time

from mdepth_ros.engine.yaml_file import MOST_VALUES, read_yaml
import pytest

LAUGHS = 'a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n' + ''.join(
    f'a{n}: &a{n} [{", ".join([f"*a{n - 1}"] * 9)}]\n' for n in range(1, 12))


@pytest.mark.parametrize(('text', 'reason'), [
    (LAUGHS, 'at most 100000 values'),
    ('a: &a [*a]', 'at most 100000 values'),
    ('a: ' + '[' * 20_000 + ']' * 20_000, 'nested too deeply'),
    ('9' * 5000, 'limit'),
    ('0x' + 'f' * 5000, '20000 bits, expected at most 64'),
    ('a: [1, {b: 18446744073709551616}]', '65 bits, expected at most 64'),
    ('2001-99-99', 'month must be'),
    ('!!float abc', 'could not convert'),
    ('!!bool abc', 'abc'),
    ('!!int ""', 'index out of range'),
    ('!!timestamp abc', 'groupdict'),
    ('{[1, 2]: 3, {}: 4}', 'unhashable'),
    ('!!python/object/apply:os.system ["true"]', 'could not determine a constructor'),
    ('*nobody', 'undefined alias'),
], ids=['laughs', 'self', 'deep', 'digits', 'hex', 'inside', 'date', 'float', 'bool', 'int',
        'stamp', 'key', 'call', 'alias'])
def test_what_nobody_means_is_one_line_and_quick(tmp_path, text, reason):
    path = tmp_path / 'a.yaml'
    path.write_text(text)
    start_s = time.process_time()
    with pytest.raises(ValueError, match=reason) as caught:
        read_yaml(path)
    assert '\n' not in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert time.process_time() - start_s < 10


def test_what_is_not_text_or_not_there(tmp_path):
    (tmp_path / 'a.yaml').write_bytes(b'a: \xff')
    for name in ('a.yaml', 'absent.yaml', '.'):
        with pytest.raises(ValueError, match=r'decode|No such file|directory'):
            read_yaml(tmp_path / name)


def test_what_people_write_stays_as_it_is(tmp_path):
    path = tmp_path / 'a.yaml'
    path.write_text('base: &b {x: 1, y: [2.5, null, true]}\n'
                    'other: {<<: *b, x: -9223372036854775807}\nday: 2020-01-02\ntext: "ä"\n')
    assert read_yaml(path) == {
        'base': {'x': 1, 'y': [2.5, None, True]}, 'text': 'ä', 'day': datetime.date(2020, 1, 2),
        'other': {'x': -9223372036854775807, 'y': [2.5, None, True]}}
    path.write_text(str(list(range(MOST_VALUES - 1))))
    assert len(read_yaml(path)) == MOST_VALUES - 1
    path.write_text(str(list(range(MOST_VALUES))))
    with pytest.raises(ValueError, match='at most'):
        read_yaml(path)
