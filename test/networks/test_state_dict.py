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

"""What is said of tensors that a network does not take."""

import math

from mdepth_ros.networks.state_dict import differences
import torch

EXPECTED = {'a': torch.zeros(3), 'b': torch.zeros(2)}


def test_what_fits_has_no_difference():
    assert differences({'a': torch.ones(3), 'b': torch.ones(2)}, EXPECTED) == []


def test_every_kind_is_said_with_its_first():
    found = {'a': torch.tensor([1.0, math.nan, 0.0]), 'b': torch.zeros(5), 'x': torch.zeros(1)}
    assert differences(found, {**EXPECTED, 'c': torch.zeros(())}) == [
        '1 missing, first c ()', '1 unknown, first x (1,)',
        '1 of another shape, first b is (5,), expected (2,)', '1 not finite, first a']


def test_types_of_one_kind_fit():
    half = {'a': torch.ones(3).half(), 'b': torch.ones(2).bfloat16()}
    assert differences(half, EXPECTED) == []
    eighth = {'a': torch.ones(3).to(torch.float8_e4m3fn), 'b': torch.ones(2, dtype=torch.int32)}
    assert differences(eighth, EXPECTED) == [
        '2 of another type, first a is torch.float8_e4m3fn, expected torch.float32']


def test_one_number_that_stands_for_terabytes_is_only_measured():
    huge = torch.zeros(1).expand(2**40)
    assert differences({'a': huge, 'b': torch.zeros(2), 'x': huge}, EXPECTED) == [
        '1 unknown, first x (1099511627776,)',
        '1 of another shape, first a is (1099511627776,), expected (3,)']
