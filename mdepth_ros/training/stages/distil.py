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

"""S-DepthNet learns the depth that the whole estimator gives, and guides it better from then."""

from mdepth_ros.config import EngineConfig
from mdepth_ros.networks.canonical import to_depth
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.loop.loop import Loop
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.losses import weighted_mean
from mdepth_ros.training.own_depth import Clip, teach
from mdepth_ros.training.samples.taught_samples import TaughtBatch, TaughtSamples
from mdepth_ros.training.stages.objective import Objective, StepResult, Views
from mdepth_ros.training.stages.single_frame import enlarge
from mdepth_ros.training.stages.step_random import later_seed, StepRandom
import torch
from torch import Tensor

SCALE_WEIGHT, EDGE_WEIGHT = 0.1, 0.5
EDGE_STRIDE = 4  # px


class DistilObjective(Objective):
    """
    Distance of the logarithms of S-DepthNet's depth and of the depth that is given.

    Source: paper, section III, stage 2, for the idea; Ranftl et al. 2020 for a loss after median
    scaling, and for its steps between neighbours. Differs: no image is warped.

    :param model: its ``single`` learns.
    """

    def __init__(self, model: DepthModel) -> None:
        super().__init__()
        self.model = model
        for part in (model.pose, model.multi, model.trust):
            self.freeze(part)

    def forward(self, batch: TaughtBatch, random: StepRandom) -> StepResult:
        """
        Compute the loss of a batch.

        :param batch: frames with their depth.
        :param random: not needed.
        :return: loss, terms, views.
        """
        image = batch.frames[:, 0].float() / 255
        depths = [to_depth(enlarge(scale.float(), image), self.model.config, batch.K)
                  for scale in self.model.single.scales(image)]
        terms = _mean([_terms(depth.log() - batch.log_depth, batch.weight) for depth in depths])
        loss = (terms['shape'] + SCALE_WEIGHT * terms['scale'] + EDGE_WEIGHT * terms['edges'])
        views = Views(image, None, depths[0].detach(), batch.log_depth.exp(),
                      confidence=batch.weight)
        return StepResult(loss, terms, views)


def _terms(error: Tensor, weight: Tensor) -> dict[str, Tensor]:
    """Judge an error of the logarithm, (B, 1, H, W)."""
    shift = _median_where_weighted(error.detach(), weight)
    return {'shape': weighted_mean((error - shift).abs(), weight),
            'scale': weighted_mean(error.abs(), weight), 'edges': step_error(error, weight)}


def _mean(terms: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Average over the decoder's scales."""
    return {name: torch.stack([it[name] for it in terms]).mean() for name in terms[0]}


def step_error(error: Tensor, weight: Tensor) -> Tensor:
    """
    Error of the steps between pixels that are four apart, along both axes.

    :param error: (B, 1, H, W) of a logarithm.
    :param weight: (B, 1, H, W) in [0, 1].
    :return: scalar, 0 if nothing but a factor is wrong.
    """
    steps = []
    for dim in (2, 3):
        n = error.shape[dim] - EDGE_STRIDE
        (near, far), (near_weight, far_weight) = (
            (x.narrow(dim, 0, n), x.narrow(dim, EDGE_STRIDE, n)) for x in (error, weight))
        steps.append(weighted_mean((far - near).abs(), torch.minimum(near_weight, far_weight)))
    return torch.stack(steps).sum()


def _median_where_weighted(values: Tensor, weight: Tensor) -> Tensor:
    """(B, 1, 1, 1) median of the (B, 1, H, W) values that have a weight, of all if none has."""
    seen = weight > 0
    seen = seen | ~seen.flatten(1).any(dim=1).view(-1, 1, 1, 1)
    medians = torch.where(seen, values, torch.nan).flatten(1).nanmedian(dim=1).values
    return medians.view(-1, 1, 1, 1)


def train_distil(
    loop: Loop, model: DepthModel, clips: list[Clip], config: EngineConfig, batch: int,
    schedule: Schedule, augment: bool = True,
) -> None:
    """
    Play the frames with the model as it is, and teach its S-DepthNet the depth that comes out.

    :param loop: devices, logs, saved states.
    :param model: changed in place.
    :param clips: what to play, in all processes together: each plays a part, and learns from
        that; if they are too few for that, each plays all and learns from a part of the batches.
    :param config: how the estimator runs.
    :param batch: B of all processes together.
    :param schedule: steps and learning rate.
    :param augment: see :class:`TaughtSamples`.
    """
    fabric, seed = loop.fabric, later_seed(loop.options.seed, loop.round)
    rank, world_size = fabric.global_rank, fabric.world_size
    parts = world_size if len(clips) >= world_size else 1
    part = rank % parts
    frames = teach(model.eval(), clips[part::parts], config, progress=fabric.is_global_zero)
    samples = TaughtSamples(frames, batch // parts, parts * seed + part, augment, rank // parts,
                            world_size // parts)
    stage = loop.begin('distil', model, DistilObjective(model), schedule, samples)
    for step, taught in stage.batches():
        result = stage.objective(taught, loop.random(step))
        stage.descend(result.loss)
        stage.report(step, result)
