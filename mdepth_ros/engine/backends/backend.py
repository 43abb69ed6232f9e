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

"""What the estimator asks of a backend."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from mdepth_ros.errors import MdepthError, one_line
import torch
from torch import Tensor

Outputs = tuple[Tensor, ...]


@contextmanager
def refusals(part: str, *kinds: type[Exception]) -> Iterator[None]:
    """
    Run a part; what the device refuses, most often for want of memory, is a line for people.

    :param part: its name.
    :param kinds: what the backend raises then.
    :raises MdepthError: instead of them.
    """
    try:
        yield
    except kinds as error:
        raise MdepthError(f'cannot run {part} at this size, see the parameter '
                          f'network.pixel_budget: {one_line(error)}') from error


class Backend(Protocol):
    """
    Runs the parts of a model, see :mod:`mdepth_ros.networks.parts`; inputs decide on sizes.

    One that ``compiles`` takes seconds when a part first meets a size.
    """

    name: str
    compiles: bool
    device: torch.device

    def run(self, part: str, *inputs: Tensor) -> Outputs:
        """
        Run a part.

        :param part: its name.
        :param inputs: float32 on this backend's device.
        :return: its outputs: float32, not used again by the backend.
        """

    def start(self, part: str, *inputs: Tensor) -> Callable[[], Outputs]:
        """
        Begin to run a part, beside the caller where the backend can.

        :param part: its name; not begun again before the answer was taken.
        :param inputs: as of :meth:`run`, left alone until then.
        :return: waits for the part and returns its outputs.
        """
        outputs = self.run(part, *inputs)
        return lambda: outputs
