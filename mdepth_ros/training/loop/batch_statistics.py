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

"""The running statistics of batch normalisation, safe from steps that go wrong."""

from torch import nn, Tensor
from torch.nn.modules.batchnorm import _BatchNorm


class BatchStatistics:
    """
    What a bad step leaves behind even where its gradient is thrown away.

    One activation that is not finite makes running statistics NaN for good; the weights would
    still learn, and the trained model would be worthless.

    :param module: all batch normalisation in it.
    """

    def __init__(self, module: nn.Module) -> None:
        self._now: list[Tensor] = [buffer for layer in module.modules()
                                   if isinstance(layer, _BatchNorm) and layer.training
                                   for buffer in layer.buffers()]
        self._kept = [buffer.clone() for buffer in self._now]

    def keep(self) -> None:
        """Remember the statistics as they are now."""
        for now, kept in zip(self._now, self._kept):
            kept.copy_(now)

    def restore(self) -> None:
        """Bring back those that were kept last, or those of the beginning."""
        for now, kept in zip(self._now, self._kept):
            now.copy_(kept)
