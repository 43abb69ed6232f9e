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

"""Stage 1: S-DepthNet, PoseNet and M-DepthNet together, from images alone."""

from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.loop.loop import Loop
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.losses import automask, masked_mean, minimum_error
from mdepth_ros.training.samples.sample import SampleBatch
from mdepth_ros.training.stages.multi_frame import run_multi_frame
from mdepth_ros.training.stages.objective import Objective, StepResult, Views
from mdepth_ros.training.stages.search_width import Search
from mdepth_ros.training.stages.single_frame import (
    ANCHOR_WEIGHT,
    run_single_frame,
    scale_drift,
    SMOOTHNESS_WEIGHT,
)
from mdepth_ros.training.stages.start_depth import credible_tracks, departure, StartDepth
from mdepth_ros.training.stages.step_random import StepRandom
from mdepth_ros.training.stages.track_error import TRACK_WEIGHT
from mdepth_ros.training.stages.triplet import identity_errors, load
import torch


class TeacherObjective(Objective):
    """
    L = L_S + L_M + 4 L_mask, and where there are tracks + 6 L_track.

    M-DepthNet sends no gradient into the other two.

    Source: paper, section III, stage 1. Differs: L_track, see :func:`track_error`.

    :param model: all of it learns.
    :param anchor_depth: see :func:`scale_drift`.
    :param hold_start: weight of the :func:`departure` from the start's depth, which then also
        says which tracks are credible; 0 for neither.
    """

    def __init__(
        self, model: DepthModel, anchor_depth: float = 0.0, hold_start: float = 0.0
    ) -> None:
        super().__init__()
        self.model, self.anchor_depth = model, anchor_depth
        self.hold_start, self.start = hold_start, StartDepth(model) if hold_start else None
        if self.start is not None:
            self.freeze(self.start)

    def forward(self, batch: SampleBatch, random: StepRandom) -> StepResult:
        """
        Compute the loss of a batch.

        :param batch: samples.
        :param random: breaks ties and places patches.
        :return: loss, terms, views.
        """
        clean, seen = load(batch)
        start = None if self.start is None else self.start(seen.target, batch.K)
        credible = (None if start is None or batch.tracks is None
                    else credible_tracks(batch.tracks, start, batch.K))
        single = run_single_frame(self.model, clean, seen, batch.K, batch.tracks, credible)
        identity = identity_errors(clean)
        noise = random.tie_noise(identity)
        masks = [automask(errors, identity, noise) for errors in single.errors]
        photometric = torch.stack([masked_mean(minimum_error(errors), mask)
                                   for errors, mask in zip(single.errors, masks)]).mean()
        multi = run_multi_frame(self.model, clean, seen, single.depth, batch.K, single.motions,
                                random)
        loss = (photometric + SMOOTHNESS_WEIGHT * single.rough + TRACK_WEIGHT * single.tracks
                + ANCHOR_WEIGHT * scale_drift(single.depth, self.anchor_depth) + multi.loss)
        terms = {'single': photometric, 'smoothness': single.rough, 'tracks': single.tracks,
                 'multi': multi.photometric, 'mask': multi.mask,
                 'moving share': masks[0].float().mean()}
        if start is not None:
            terms['departure'] = departure(single.depth, start)
            loss = loss + self.hold_start * terms['departure']
        views = Views(clean.target, single.warped[0].detach(), single.depth.detach(), multi.depth,
                      automask=masks[0], confidence=multi.confidence)
        return StepResult(loss, terms, views)


def train_teacher(
    loop: Loop, model: DepthModel, schedule: Schedule, search: Search, anchor_depth: float = 0.0,
    hold_start: float = 0.0,
) -> None:
    """
    Train all three networks and delta.

    :param loop: devices, samples, logs, saved states.
    :param model: changed in place.
    :param schedule: steps and learning rate.
    :param search: how delta is followed.
    :param anchor_depth: see :func:`scale_drift`.
    :param hold_start: see :class:`TeacherObjective`.
    """
    search.begin(model.multi.delta)
    objective = TeacherObjective(model, anchor_depth, hold_start)
    stage = loop.begin('teacher', model, objective, schedule)
    for step, batch in stage.batches():
        result = stage.objective(batch, loop.random(step))
        if stage.descend(result.loss):
            search.follow(model.multi.delta, result.views.multi_depth, result.views.single_depth,
                          step / schedule.steps)
        stage.report(step, result)
