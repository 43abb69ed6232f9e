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

"""Matrix products of geometry, which mixed precision must leave alone."""

import torch
from torch import Tensor


def exact_product(a: Tensor, b: Tensor) -> Tensor:
    """
    Multiply matrices in their own precision, also under autocast.

    In bfloat16 a coordinate of 100 px is off by up to half a pixel: as much as what is matched.

    :param a: (..., n, m).
    :param b: (..., m, p), of the same dtype.
    :return: (..., n, p) of that dtype.
    """
    if not torch.is_autocast_enabled(a.device.type):
        return a @ b
    with torch.autocast(a.device.type, enabled=False):
        return a @ b
