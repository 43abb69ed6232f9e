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

"""What TensorBoard shows of a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.stages.objective import StepResult, Views
from mdepth_ros.training.synthetic import to_bytes
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

# Pictures per step: enough to see a pattern, few enough to look at.
PICTURES = 4


class Board:
    """
    Event files of one stage.

    :param folder: where they go.
    :param first_step: on resuming, what was written from here on is hidden.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self._folder = folder
        with self._writing():
            self._writer = SummaryWriter(str(folder), purge_step=first_step)

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """
        Add a point to each curve.

        :param step: of the stage.
        :param values: by name.
        :raises MdepthError: if the disk is full; this may come later than the call.
        """
        with self._writing():
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def pictures(self, step: int, result: StepResult, delta: Tensor) -> None:
        """
        Add the step's pictures.

        :param step: of the stage.
        :param result: whose views are drawn.
        :param delta: (1, 1, h, w).
        :raises MdepthError: as :meth:`scalars`.
        """
        with self._writing():
            for name, image in draw(result.views, delta).items():
                self._writer.add_image(name, image, step, dataformats='HWC')

    def close(self) -> None:
        """Write what is left."""
        with self._writing():
            self._writer.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Say in one line which files a full disk left unfinished."""
        try:
            yield
        except OSError as error:
            raise MdepthError(f'cannot write TensorBoard files in {self._folder}: {error}'
                              ) from error


def draw(views: Views, delta: Tensor) -> dict[str, NDArray[np.uint8]]:
    """
    Colour the views of a step, samples side by side.

    :param views: of (B, ., H, W).
    :param delta: (1, 1, h, w), shown on its own scale from 0.
    :return: (H, n W, 3) uint8 pictures by name.
    """
    pictures = {
        'input': _photo(views.target),
        'depth, single-frame': _inverse_depth(views.single_depth, views.single_depth),
        'depth, multi-frame': _inverse_depth(views.multi_depth, views.single_depth),
        'delta': _coloured(delta / delta.amax().clamp(min=1e-6), 'viridis'),
    }
    if views.warped is not None:
        pictures['warped source'] = _photo(views.warped)
    for name, values in (('auto-mask', views.automask), ('distilled', views.distilled),
                         ('confidence', views.confidence)):
        if values is not None:
            pictures[name] = _coloured(values.float(), 'gray')
    return pictures


def _photo(images: Tensor) -> NDArray[np.uint8]:
    """Images in [0, 1], side by side."""
    row = torch.cat(list(images[:PICTURES].detach().float().cpu()), dim=-1)
    return np.asarray(to_bytes(row.permute(1, 2, 0)).numpy())


def _inverse_depth(depth: Tensor, scale_of: Tensor) -> NDArray[np.uint8]:
    """Near is bright; each sample is scaled by the 95 % quantile of ``scale_of``."""
    bright = (1 / scale_of[:PICTURES].detach().float()).flatten(1).quantile(0.95, dim=1)
    return _coloured(1 / depth[:PICTURES].detach().float() / bright.view(-1, 1, 1, 1), 'magma')


def _coloured(values: Tensor, colours: str) -> NDArray[np.uint8]:
    """(B, 1, H, W) in [0, 1] by a colour map, side by side."""
    row = torch.cat(list(values[:PICTURES, 0].detach().float().cpu()), dim=-1).clamp(0, 1)
    return np.asarray(matplotlib.colormaps[colours](row.numpy(), bytes=True)[..., :3])
