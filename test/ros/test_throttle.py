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

from mdepth_ros.ros.throttle import MOST_KINDS, ThrottledLog


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def make():
    lines, clock = [], Clock()
    return ThrottledLog(lines.append, 5.0, clock), lines, clock


def test_one_line_per_kind_and_period_with_a_count():
    log, lines, clock = make()
    for i in range(20):
        log(f'image {i} is {1.5 * i} s late')
        log('something else')
    assert lines == ['image 0 is 0.0 s late', 'something else']
    clock.now = 5.0
    log('image 99 is 7e-05 s late')
    assert lines[2:] == ['image 99 is 7e-05 s late (19 more like this)']
    clock.now = 20.0
    log('image 100 is 1 s late')
    assert lines[3:] == ['image 100 is 1 s late']


def test_dumps_of_bytes_are_of_one_kind():
    log, lines, _ = make()
    for text in ("starting 'ff d8 00'", "starting 'ab cd ef'", "starting '00 e1 1f'"):
        log(text)
    assert len(lines) == 1


def test_numbers_of_any_sign_are_of_one_kind():
    log, lines, _ = make()
    for value in (1.0, -1.0, 1e-9, -3e20, float('nan'), float('inf')):
        log(f'K is [{value}, {-value}]')
    assert len(lines) <= 2  # -nan and -inf keep their sign


def test_a_flood_of_garbage_is_bounded_and_so_is_memory():
    log, lines, clock = make()
    for i in range(26**3):
        log('encoding ' + chr(97 + i % 26) + chr(97 + i // 26 % 26) + chr(97 + i // 676))
    assert len(lines) == MOST_KINDS
    clock.now = 6.0
    log('after the flood')
    assert lines[-1] == 'after the flood'
    assert len(log._last) + len(log._silenced) <= 2 * MOST_KINDS + 1
