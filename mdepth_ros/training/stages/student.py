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

"""Stage 2: a new S-DepthNet and PoseNet, taught by the multi-frame depth where that is better."""

import copy

from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.loop.loop import Loop
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.losses import distillation_loss, distillation_mask, minimum_error
from mdepth_ros.training.ranks.reduction import mean_over_ranks
from mdepth_ros.training.samples.sample import SampleBatch
from mdepth_ros.training.stages.multi_frame import match
from mdepth_ros.training.stages.objective import Objective, StepResult, Views
from mdepth_ros.training.stages.single_frame import (
    ANCHOR_WEIGHT,
    predict,
    run_single_frame,
    scale_drift,
    SMOOTHNESS_WEIGHT,
)
from mdepth_ros.training.stages.step_random import StepRandom
from mdepth_ros.training.stages.track_error import TRACK_WEIGHT
from mdepth_ros.training.stages.triplet import explain, identity_errors, load
import torch

DISTILLATION_WEIGHT = 0.1


class StudentObjective(Objective):
    """
    L = mean(min error) + 1e-3 smoothness + 0.1 L_d, and where there are tracks + 6 L_track.

    Source: paper, section III, stage 2. Differs: L_track, see :func:`track_error`.

    :param student: its ``single`` and ``pose`` learn.
    :param teacher: frozen.
    :param masked: distil only where the teacher explains the images better; the paper's choice.
        Everywhere otherwise, to see what the mask is worth.
    :param anchor_depth: see :func:`scale_drift`.
    """

    def __init__(
        self, student: DepthModel, teacher: DepthModel, masked: bool = True,
        anchor_depth: float = 0.0,
    ) -> None:
        super().__init__()
        self.student, self.teacher = student, teacher
        self.masked, self.anchor_depth = masked, anchor_depth
        self.freeze(teacher)
        self.freeze(student.multi)

    def forward(self, batch: SampleBatch, random: StepRandom) -> StepResult:
        """
        Compute the loss of a batch.

        :param batch: samples.
        :param random: breaks ties.
        :return: loss, terms, views.
        """
        clean, seen = load(batch)
        with torch.no_grad():
            prior = predict(self.teacher, seen, batch.K, batch.tracks)
            matched = match(self.teacher, seen, prior.depth, batch.K, prior.motions)
            teacher_depth = matched.depth.float()
            teacher_errors = explain(clean, teacher_depth, batch.K, prior.motions).errors

        single = run_single_frame(self.student, clean, seen, batch.K, batch.tracks)
        identity = identity_errors(clean)
        identity = identity + random.tie_noise(identity)
        photometric = mean_over_ranks(torch.stack([
            minimum_error(torch.cat([errors, identity], dim=1)).mean()
            for errors in single.errors]).mean())
        mask = (distillation_mask(teacher_errors, single.errors[0].detach(), identity)
                if self.masked else torch.ones_like(single.depth, dtype=torch.bool))
        distillation = distillation_loss(single.depth, teacher_depth, mask)
        loss = (photometric + SMOOTHNESS_WEIGHT * single.rough
                + TRACK_WEIGHT * single.tracks + DISTILLATION_WEIGHT * distillation
                + ANCHOR_WEIGHT * scale_drift(single.depth, self.anchor_depth))
        terms = {'single': photometric, 'smoothness': single.rough, 'tracks': single.tracks,
                 'distillation': distillation, 'distilled share': mask.float().mean()}
        views = Views(clean.target, single.warped[0].detach(), single.depth.detach(),
                      teacher_depth, distilled=mask)
        return StepResult(loss, terms, views)


def train_student(
    loop: Loop, student: DepthModel, teacher: DepthModel, schedule: Schedule, masked: bool = True,
    anchor_depth: float = 0.0,
) -> None:
    """
    Train a new S-DepthNet and PoseNet; M-DepthNet and delta become the teacher's.

    :param loop: devices, samples, logs, saved states.
    :param student: changed in place.
    :param teacher: left as it is.
    :param schedule: steps and learning rate.
    :param masked: as in :class:`StudentObjective`.
    :param anchor_depth: see :func:`scale_drift`.
    """
    student.multi = copy.deepcopy(teacher.multi)
    objective = StudentObjective(student, teacher, masked, anchor_depth)
    stage = loop.begin('student', student, objective, schedule)
    for step, batch in stage.batches():
        result = stage.objective(batch, loop.random(step))
        stage.descend(result.loss)
        stage.report(step, result)
