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

"""How the tensors of a file differ from those that a network needs."""

from collections.abc import Mapping

from mdepth_ros.errors import one_line
import torch
from torch import Tensor

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def differences(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> list[str]:
    """
    Compare names, shapes, types and values.

    :param found: what a file holds.
    :param expected: the network's own state dict; its values do not matter.
    :return: one text per kind of difference, with the first key of that kind; empty if it fits.
    """
    missing = [f'{key} {tuple(expected[key].shape)}'
               for key in sorted(expected.keys() - found.keys())]
    unknown = [f'{key} {tuple(found[key].shape)}'
               for key in sorted(found.keys() - expected.keys())]
    both = sorted(found.keys() & expected.keys())
    wrong = [f'{key} is {tuple(found[key].shape)}, expected {tuple(expected[key].shape)}'
             for key in both if found[key].shape != expected[key].shape]
    foreign = [f'{key} is {found[key].dtype}, expected {expected[key].dtype}' for key in both
               if not _of_kind(found[key].dtype, expected[key].dtype)]
    # One number in a file can stand for a tensor of any shape: only those that fit are looked at.
    infinite = [key for key in both if found[key].shape == expected[key].shape
                and found[key].dtype in FLOATS and not bool(found[key].isfinite().all())]
    return [f'{len(texts)} {what}, first {one_line(texts[0])}'
            for what, texts in (('missing', missing), ('unknown', unknown),
                                ('of another shape', wrong), ('of another type', foreign),
                                ('not finite', infinite)) if texts]


def _of_kind(found: torch.dtype, expected: torch.dtype) -> bool:
    """Whether numbers of the one type can be read as the other without losing what they mean."""
    return found == expected or (found in FLOATS and expected in FLOATS)
