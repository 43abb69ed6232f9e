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

"""Which motion the estimator matches with: by followed points, or, as published, PoseNet's."""

from dataclasses import replace
import math

from mdepth_ros.config import EngineConfig, lite_config
from mdepth_ros.engine.backends.runner import Runner, SingleFrame
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.depth_filter import DepthFilter
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Frame, Mode
from mdepth_ros.engine.preprocess import network_input, Preprocessor
from mdepth_ros.engine.steady import LONGEST_S, SteadyDepth
from mdepth_ros.geometry.pose import invert_motion
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.synthetic import render_sequence, SceneConfig
import numpy as np
import pytest
import torch

WIDTH, HEIGHT = 192, 128


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    model = DepthModel(lite_config()).eval()
    torch.nn.init.constant_(model.trust.correct.last.bias, -200.0)  # the depth is S-DepthNet's
    return model


@pytest.fixture(scope='module')
def sequence():
    config = SceneConfig('indoor', WIDTH, HEIGHT, frames=4, moving_objects=False)
    return render_sequence(config, seed=3)


def frames_of(images, K):
    camera = Camera(WIDTH, HEIGHT, K.double().numpy())
    pixels = (images * 255).round().byte().permute(0, 2, 3, 1).numpy()
    return [Frame(np.ascontiguousarray(rgb), camera, 100_000_000 * (i + 1))
            for i, rgb in enumerate(pixels)]


def plain_frames(K):
    """Walls without texture, as a camera with little noise sees them."""
    random = torch.Generator().manual_seed(0)
    noise = 0.004 * torch.randn(3, 3, HEIGHT, WIDTH, generator=random)
    return frames_of((0.5 + noise).clamp(0, 1), torch.tensor(
        [[150.0, 0, 95.5], [0, 150.0, 63.5], [0, 0, 1]]))


def run(model, method, frames, scale=0.0, sources=2):
    estimator = DepthEstimator(model, EngineConfig('cpu', method, width=WIDTH, height=HEIGHT,
                                                   scale=scale, backend='torch',
                                                   sources=sources))
    return [estimator.push(frame) for frame in frames]


@torch.inference_mode()
def pose_net(model, earlier, later):
    prepare = Preprocessor(later.camera, WIDTH, HEIGHT, rectify=False)
    images = (network_input(prepare(frame.rgb), torch.device('cpu')) for frame in (earlier, later))
    return invert_motion(model.pose.motion(*images))[0]


def test_net_is_pose_net_bit_for_bit(model, sequence):
    frames = frames_of(sequence.images, sequence.K)
    estimates = run(model, 'published', frames)
    for earlier, later, estimate in zip(frames, frames[1:], estimates[1:]):
        assert torch.equal(estimate.T_source_target, pose_net(model, earlier, later))


def test_without_texture_there_is_nothing_to_match(model):
    for estimate in run(model, 'robust', plain_frames(torch.eye(3)))[1:]:
        assert estimate.mode is Mode.SINGLE
        assert estimate.reason == 'no earlier frame shows enough of the same points'
        assert estimate.T_source_target is None
        assert estimate.T_previous_target is None
        assert torch.equal(estimate.depth, estimate.single_depth)


def test_the_motion_of_a_rendered_camera_in_metres(model, sequence, monkeypatch):
    """Given true depth, in units of 2 m, T_source_target is the true one in metres."""
    depths = iter(sequence.depth.clamp(max=1000.0) / 2)
    monkeypatch.setattr(Runner, 'single_frame', lambda self, image, K: SingleFrame(
        next(depths)[None], torch.zeros(1, HEIGHT // 4, WIDTH // 4, 32)))
    estimates = run(model, 'robust', frames_of(sequence.images, sequence.K), scale=2.0)
    T = sequence.T_world_camera.double()
    for i in (1, 2, 3):
        truth, solved = invert_motion(T[i - 1]) @ T[i], estimates[i].T_previous_target.double()
        away = (solved[:3, :3] - truth[:3, :3]).norm() / math.sqrt(8)
        assert math.degrees(2 * math.asin(float(away))) < 0.2
        assert (solved[:3, 3] - truth[:3, 3]).norm() < 0.1 * truth[:3, 3].norm()


@pytest.mark.parametrize('sources', [1, 2, 3])
def test_it_matches_with_as_many_past_frames_as_asked(model, sequence, monkeypatch, sources):
    matched, fuse = [], Runner.fuse

    def spy(self, target, found, *rest):
        matched.append(len(found))
        return fuse(self, target, found, *rest)
    monkeypatch.setattr(Runner, 'fuse', spy)
    run(model, 'robust', frames_of(sequence.images, sequence.K), sources=sources)
    assert max(matched) == sources


def test_after_a_pause_it_goes_on_where_the_camera_sees_the_same(model, sequence, monkeypatch):
    averaged = []

    def spy(self, depth, confidence, K, T_previous_target):
        averaged.append(T_previous_target is not None)
        return depth
    monkeypatch.setattr(DepthFilter, '__call__', spy)
    *before, last = frames_of(sequence.images, sequence.K)
    late = replace(last, stamp_ns=last.stamp_ns + 5_000_000_000)
    soon, later = (run(model, 'robust', [*before, frame])[-1] for frame in (last, late))
    averaged = averaged[len(before)::len(before) + 1]
    assert later.mode is Mode.MULTI
    assert averaged == [True, False]  # what was seen before may have moved
    torch.testing.assert_close(later.T_previous_target, soon.T_previous_target, rtol=0.02,
                               atol=1e-6)


def test_the_motion_has_the_scale_of_the_depth(model, sequence):
    frames = frames_of(sequence.images, sequence.K)
    plain, double = (run(model, 'robust', frames, scale) for scale in (1.0, 2.0))
    for one, other in zip(plain[1:], double[1:]):
        torch.testing.assert_close(other.T_source_target[:3, 3], 2 * one.T_source_target[:3, 3])
        torch.testing.assert_close(other.T_source_target[:3, :3], one.T_source_target[:3, :3])


def test_depth_goes_on_from_the_frame_before_and_from_no_older_one(model, sequence):
    def last_depth(*given):
        estimator = DepthEstimator(model, EngineConfig('cpu', width=WIDTH, height=HEIGHT,
                                                       backend='torch'))
        for frame, pushed in zip(frames_of(sequence.images, sequence.K), given):
            (estimator.push if pushed else estimator.observe)(frame)
        return estimator.push(frames_of(sequence.images, sequence.K)[len(given)]).depth

    anew = last_depth(False, False)
    assert torch.equal(last_depth(True, False), anew)
    assert not torch.equal(last_depth(False, True), anew)


def test_a_jump_fades_while_frames_are_only_observed(model, sequence, monkeypatch):
    elapsed, follow = [], SteadyDepth.__call__

    def listening(self, *arguments):
        elapsed.append(arguments[-1])
        return follow(self, *arguments)
    monkeypatch.setattr(SteadyDepth, '__call__', listening)
    hour_ns = 3600 * 10 ** 9
    frames = [replace(frame, stamp_ns=frame.stamp_ns + hour_ns)
              for frame in frames_of(sequence.images, sequence.K)]
    estimator = DepthEstimator(model, EngineConfig('cpu', width=WIDTH, height=HEIGHT,
                                                   backend='torch'))
    estimator.push(frames[0])
    estimator.observe(frames[1])
    estimator.push(frames[2])
    # Time that goes back by an hour begins anew.
    estimator.push(replace(frames[1], stamp_ns=frames[1].stamp_ns - hour_ns))
    step_s = 1e-9 * (frames[1].stamp_ns - frames[0].stamp_ns)
    assert elapsed == pytest.approx([LONGEST_S, 2 * step_s, LONGEST_S])


def test_the_depth_of_a_camera_that_stands_is_that_of_one_frame(model, sequence):
    noise = 0.01 * torch.randn(4, *sequence.images.shape[1:],
                               generator=torch.Generator().manual_seed(0))
    still = (sequence.images[:1] + noise).clamp(0, 1)
    for estimate in run(model, 'robust', frames_of(still, sequence.K)):
        ratio = estimate.depth / estimate.single_depth
        torch.testing.assert_close(ratio, ratio.mean().expand_as(ratio))


def test_observed_frames_are_searched_too(model, sequence):
    frames = frames_of(sequence.images, sequence.K)
    expected = run(model, 'robust', frames[:2])[1]
    estimator = DepthEstimator(model, EngineConfig('cpu', width=WIDTH, height=HEIGHT,
                                                   backend='torch'))
    estimator.observe(frames[0])
    estimate = estimator.push(frames[1])
    # Its depth was not given out, so nothing has to fit it.
    assert torch.equal(estimate.T_source_target[:3, :3], expected.T_source_target[:3, :3])
    assert not torch.equal(estimate.T_source_target, pose_net(model, *frames[:2]))
