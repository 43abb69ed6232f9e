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

import dataclasses
import math

from mdepth_ros.config import EngineConfig, lite_config
from mdepth_ros.engine.backends.runner import Runner
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Frame, Mode
from mdepth_ros.engine.preprocess import network_input, Preprocessor
from mdepth_ros.engine.steady import FORGETTING_S, LONGEST_S
from mdepth_ros.errors import BadCamera, BadImage, MdepthError
from mdepth_ros.geometry.intrinsics import stride_intrinsics
from mdepth_ros.geometry.pose import invert_motion
from mdepth_ros.networks.canonical import to_depth
from mdepth_ros.networks.depth_model import DepthModel
import numpy as np
import pytest
import torch

CPU = torch.device('cpu')
STEP = 100_000_000
# The frames are noise: only PoseNet says something about their motion.
CONFIG = EngineConfig('cpu', 'published', width=96, height=64, backend='torch')
CAMERA = Camera.from_fov(128, 96, 80.0)


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    return DepthModel(lite_config()).eval()


@pytest.fixture
def estimator(model):
    return DepthEstimator(model, CONFIG)


def frame(i, camera=CAMERA, picture=None):
    shape = (camera.height, camera.width, 3)
    seed = i if picture is None else picture
    return Frame(np.random.default_rng(seed).integers(0, 256, shape, np.uint8), camera, i * STEP)


@torch.inference_mode()
def by_hand(model, earlier, later):
    """Follow the method straight from the networks, features of both frames computed anew."""
    prepare = Preprocessor(later.camera, 96, 64, rectify=False)
    target, K = network_input(prepare(later.rgb), CPU), prepare.K
    single = to_depth(model.single(target).disparity, model.config, K[None])
    if earlier is None:
        return single, single, None
    source = network_input(prepare(earlier.rgb), CPU)
    T = invert_motion(model.pose.motion(source, target))
    multi = model.multi(model.multi.features(target),
                        model.multi.features(source).matching[:, None], single,
                        stride_intrinsics(K, 4)[None], T[:, None])
    return multi.depth, single, T[0]


def test_same_numbers_as_the_networks_called_by_hand(model, estimator):
    frames = [frame(i) for i in range(1, 5)]
    for earlier, later in zip([None, *frames], frames):
        estimate = estimator.push(later)
        depth, single, T = by_hand(model, earlier, later)
        torch.testing.assert_close(estimate.depth, depth)
        torch.testing.assert_close(estimate.single_depth, single)
        assert estimate.stamp_ns == later.stamp_ns
        if earlier is None:
            assert estimate.T_source_target is None
        else:
            torch.testing.assert_close(estimate.T_source_target, T)
            assert estimate.source_stamp_ns == earlier.stamp_ns


def test_first_frame_and_reset_give_exactly_the_single_frame_depth(estimator):
    first = estimator.push(frame(1))
    assert (first.mode, first.reason) == (Mode.SINGLE, 'first frame')
    assert torch.equal(first.depth, first.single_depth)
    assert (first.confidence == 0.5).all()
    assert estimator.push(frame(2)).mode is Mode.MULTI
    estimator.reset()
    again = estimator.push(frame(3, picture=1))
    assert (again.mode, again.reason) == (Mode.SINGLE, 'reset')
    assert torch.equal(again.depth, first.depth)


def test_no_context_is_kept_of_past_frames(estimator):
    estimator.push(frame(1))
    estimator.observe(frame(2))
    for past in estimator._buffer:
        assert past.description.matching.numel() > 0
        assert past.description.context.numel() == 0


def test_observed_frames_serve_as_sources(estimator, model):
    estimator.observe(frame(1))
    estimate = estimator.push(frame(2))
    torch.testing.assert_close(estimate.depth, by_hand(model, frame(1), frame(2))[0])


@pytest.mark.parametrize(('stamps', 'mode', 'reason'), [
    ((1, 2, 3), Mode.MULTI, ''),
    ((1, 5, 4), Mode.SINGLE, 'time went back by 0.100 s'),
    ((1, 2, 102), Mode.MULTI, ''),  # a gap of exactly max_gap_s is none yet
    ((1, 2, 1002), Mode.SINGLE, 'a gap of 100.000 s'),
])
def test_time_jumps_empty_the_buffer(estimator, stamps, mode, reason):
    for stamp in stamps:
        estimate = estimator.push(frame(stamp))
    assert (estimate.mode, estimate.reason) == (mode, reason)
    assert (estimate.T_source_target is None) == (mode is Mode.SINGLE)


@pytest.mark.parametrize(('stamp', 'scale'), [
    (1002, 1.25 ** math.exp(-LONGEST_S / FORGETTING_S)), (1, 1.0)])
def test_the_scale_goes_on_after_a_pause_but_not_when_time_goes_back(model, stamp, scale):
    estimator = DepthEstimator(model, dataclasses.replace(CONFIG, method='robust'))
    estimator.push(frame(2))
    estimator._steady._log_factor = math.log(1.25)  # as if the network had jumped
    estimate = estimator.push(frame(stamp))
    torch.testing.assert_close(estimate.depth, scale * estimate.single_depth)


def test_compiling_for_a_camera_makes_no_frame_slow(estimator, monkeypatch):
    time_s = [0.0]

    def compile_parts(*arguments):
        time_s[0] += 30.0
    monkeypatch.setattr('mdepth_ros.engine.estimator.time.perf_counter', lambda: time_s[0])
    monkeypatch.setattr(Runner, 'run_all', compile_parts)
    estimator.compiles = True
    estimate = estimator.push(frame(1))
    assert (time_s[0], estimate.timings.preprocess_ms) == (30.0, 0.0)


def test_a_lens_that_zooms_compiles_nothing_anew(estimator, monkeypatch):
    sizes = []
    monkeypatch.setattr(Runner, 'run_all', lambda self, *size: sizes.append(size[:2]))
    estimator.compiles = True
    for i, fov in enumerate((80.0, 60.0, 80.0)):
        estimator.push(frame(i, camera=Camera.from_fov(128, 96, fov)))
    assert sizes == [(CONFIG.width, CONFIG.height)]


def test_a_repeated_stamp_is_refused_and_changes_nothing(estimator, model):
    estimator.push(frame(1))
    with pytest.raises(BadImage, match=r'the stamp 0\.100000000 s repeats'):
        estimator.push(frame(1, picture=9))
    with pytest.raises(BadImage, match='repeats'):
        estimator.push(frame(1, camera=Camera.from_fov(64, 64, 80.0)))
    torch.testing.assert_close(estimator.push(frame(2)).depth,
                               by_hand(model, frame(1), frame(2))[0])


def test_a_camera_that_always_pauses_does_not_keep_a_wrong_scale(model):
    estimator = DepthEstimator(model, dataclasses.replace(CONFIG, method='robust'))
    estimator.push(frame(2))
    estimator._steady._log_factor = math.log(1.25)
    estimates = [estimator.push(frame(2 + 1000 * i)) for i in range(1, 100)]
    torch.testing.assert_close(estimates[-1].depth, estimates[-1].single_depth, rtol=0.01, atol=0)


@pytest.mark.parametrize('method', ['published', 'robust'])
@pytest.mark.parametrize('call', ['push', 'observe'])
def test_after_a_refused_frame_no_motion_is_of_another_pair(model, method, call, monkeypatch):
    """PoseNet's images and the points have gone on, the past frames have not."""
    def refuse():
        raise MdepthError('out of memory')

    estimator = DepthEstimator(model, dataclasses.replace(CONFIG, method=method))
    estimator.push(frame(1))
    with monkeypatch.context() as patch:
        patch.setattr(estimator._networks, 'start_describe', lambda image: refuse)
        with pytest.raises(MdepthError, match='out of memory'):
            getattr(estimator, call)(frame(2))
    estimate = estimator.push(frame(3))
    assert (estimate.mode, estimate.reason) == (Mode.SINGLE, 'the frame before was refused')
    assert estimate.T_previous_target is None
    assert estimator.push(frame(4)).previous_stamp_ns in (None, frame(3).stamp_ns)


def test_a_failed_push_leaves_the_state_as_before(model):
    estimator = DepthEstimator(model, dataclasses.replace(CONFIG, rectify=True))
    estimator.push(frame(1))
    unknown = Camera(128, 96, CAMERA.K, [0.1], 'double_sphere',
                     P=np.hstack([CAMERA.K, np.zeros((3, 1))]))
    with pytest.raises(BadCamera, match='cannot undistort'):
        estimator.push(frame(2, camera=unknown))
    assert estimator.push(frame(3)).mode is Mode.MULTI


def test_another_camera_empties_the_buffer(estimator):
    estimator.push(frame(1))
    other = Camera.from_fov(128, 96, 81.0)
    estimate = estimator.push(frame(2, camera=other))
    assert (estimate.mode, estimate.reason) == (Mode.SINGLE, 'the camera changed')
    same = Camera.from_fov(128, 96, 81.0)
    assert estimator.push(frame(3, camera=same)).mode is Mode.MULTI


def test_a_lens_that_focuses_is_the_same_camera_until_it_has_moved_far(estimator):
    modes = [estimator.push(frame(i, camera=Camera.from_fov(128, 96, 80.0 - 0.09 * i))).mode
             for i in range(1, 9)]
    assert modes == [Mode.SINGLE, *3 * [Mode.MULTI], Mode.SINGLE, *3 * [Mode.MULTI]]


@pytest.mark.parametrize(('width', 'height'), [
    (1, 1), (3840, 2160), (1000, 300), (300, 1000), (2160, 3840), (97, 33), (640, 480)])
def test_any_size_and_aspect(model, width, height):
    estimator = DepthEstimator(
        model, EngineConfig('cpu', 'published', pixel_budget=96 * 96, backend='torch'))
    camera = Camera.from_fov(width, height, 80.0)
    for i in (1, 2):
        estimate = estimator.push(frame(i, camera))
    h, w = estimate.depth.shape[2:]
    assert estimate.mode is Mode.MULTI
    assert w % 32 == h % 32 == 0
    assert w * h <= 96 * 96
    assert estimate.rgb.shape == (h, w, 3)
    assert estimate.valid.shape == estimate.confidence.shape == estimate.depth.shape
    # The image's left and right edge are seen under the same angle as in the camera.
    left, right = (edge / float(estimate.K[0, 0]) for edge in (
        -0.5 - float(estimate.K[0, 2]), w - 0.5 - float(estimate.K[0, 2])))
    assert left == pytest.approx(-math.tan(math.radians(40)), rel=1e-4)
    assert right == pytest.approx(math.tan(math.radians(40)), rel=1e-4)
    assert estimate.depth[estimate.valid].isfinite().all()


def test_K_belongs_to_the_image(estimator):
    """A white square stays where K projects it to."""
    rgb = np.zeros((96, 128, 3), np.uint8)
    rgb[40:56, 80:96] = 255
    estimate = estimator.push(Frame(rgb, CAMERA, STEP))
    weight = torch.from_numpy(estimate.rgb).float().mean(dim=2)
    v, u = torch.meshgrid(torch.arange(64.0), torch.arange(96.0), indexing='ij')
    centre = torch.stack([(u * weight).sum(), (v * weight).sum()]) / weight.sum()
    ray = np.linalg.inv(CAMERA.K) @ [87.5, 47.5, 1.0]
    projected = estimate.K.double().numpy() @ ray
    np.testing.assert_allclose(centre.numpy(), projected[:2], atol=0.01)


def test_scale_multiplies_depth_and_translation_alone(model, estimator):
    scaled = DepthEstimator(model, dataclasses.replace(CONFIG, scale=3.0))
    for i in (1, 2):
        plain, metric = estimator.push(frame(i)), scaled.push(frame(i))
    assert (plain.scale, metric.scale) == (1.0, 3.0)
    torch.testing.assert_close(metric.depth, 3 * plain.depth)
    torch.testing.assert_close(metric.single_depth, 3 * plain.single_depth)
    torch.testing.assert_close(metric.confidence, plain.confidence)
    torch.testing.assert_close(metric.T_source_target[:3, 3], 3 * plain.T_source_target[:3, 3])
    assert torch.equal(metric.T_source_target[:3, :3], plain.T_source_target[:3, :3])


@pytest.mark.parametrize('method', ['published', 'robust'])
def test_warm_up_leaves_no_trace(model, method):
    config = dataclasses.replace(CONFIG, method=method)
    cold, warm = DepthEstimator(model, config), DepthEstimator(model, config)
    with pytest.MonkeyPatch.context() as patch:
        ran = []
        patch.setattr(model.multi.regulariser, 'forward',
                      lambda volume, real=model.multi.regulariser.forward:
                      ran.append(1) or real(volume))
        warm.warm_up()
        assert ran  # all networks are warm
    for i in (1, 2):
        first, second = cold.push(frame(i)), warm.push(frame(i))
        assert (first.mode, first.reason) == (second.mode, second.reason)
        assert torch.equal(first.depth, second.depth)


def test_timings_are_of_the_stages_that_ran(estimator, monkeypatch):
    """By a clock that goes on while networks run, and by as much for each."""
    time_s = [0.0]

    def timed(name, seconds):
        run = getattr(Runner, name)

        def running(self, *arguments):
            time_s[0] += seconds
            return run(self, *arguments)
        monkeypatch.setattr(Runner, name, running)
    monkeypatch.setattr('mdepth_ros.engine.estimator.time.perf_counter', lambda: time_s[0])
    for name, seconds in (('single_frame', 1.0), ('start_describe', 2.0), ('motion_since', 4.0),
                          ('fuse', 8.0)):
        timed(name, seconds)
    first, second = (estimator.push(frame(i)).timings for i in (1, 2))
    assert (first.preprocess_ms, first.single_ms, first.pose_ms, first.multi_ms) == (
        0, 1000, 2000, 0)
    assert (second.single_ms, second.pose_ms, second.multi_ms) == (1000, 6000, 8000)


def test_an_absent_device_is_named(model):
    if torch.cuda.is_available():
        pytest.skip('there is one')
    with pytest.raises(MdepthError, match=r"device is 'cuda', but torch .* sees 0 CUDA devices"):
        DepthEstimator(model, EngineConfig('cuda'))
