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

"""Shape checks at the doors; every message names both sides."""

from torch import Tensor


def require_shape(name: str, tensor: Tensor, expected: tuple[int | str, ...]) -> None:
    """
    Refuse a tensor of another shape.

    :param name: what the caller calls it.
    :param tensor: what was given.
    :param expected: one entry per dimension: a size, or a letter where any size will do.
    :raises ValueError: if the rank or a size differs.
    """
    fits = tensor.ndim == len(expected) and all(
        isinstance(want, str) or want == have for want, have in zip(expected, tensor.shape)
    )
    if not fits:
        shape = ', '.join(str(want) for want in expected)
        raise ValueError(f'{name} must be ({shape}), got {tuple(tensor.shape)}')
