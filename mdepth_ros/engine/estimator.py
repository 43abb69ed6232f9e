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

"""Frames in, depth out: the method at inference, frame after frame."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
import math
from pathlib import Path
import time

from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.approach import approach_wall
from mdepth_ros.engine.backends.choose import choose_backend
from mdepth_ros.engine.backends.runner import Description, Fused, Runner, SingleFrame
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.corners import Image
from mdepth_ros.engine.depth_filter import DepthFilter
from mdepth_ros.engine.ego_motion import EgoMotion, FollowedPoints, PoseNetMotion
from mdepth_ros.engine.frame_buffer import FrameBuffer, PastFrame
from mdepth_ros.engine.frames import DepthEstimate, Frame, Mode, Timings
from mdepth_ros.engine.point_tracker import displacement, TrackedPoints
from mdepth_ros.engine.preprocess import network_input, network_size, Preprocessor
from mdepth_ros.engine.sources import choose_sources, Source
from mdepth_ros.engine.steady import LONGEST_S, SteadyDepth
from mdepth_ros.errors import BadImage, MdepthError
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
import torch
from torch import Tensor

# A camera whose median parallax is less counts as one that stands: the depth is nearly everywhere
# S-DepthNet's, see TrustNet's BLIND_PX [image widths].
STANDING_STILL = 0.001
# What was seen longer ago may have moved since [s].
OUTDATED_S = 1.0
_WARM_UP_FRAMES = 4
LOST = 'no earlier frame shows enough of the same points'
NOTHING_MATCHES = 'the weights have no M-DepthNet'


class DepthEstimator:
    """
    S-DepthNet on every frame, M-DepthNet where an earlier one shows the same from elsewhere.

    Source: paper, section III. Differs: the earlier frame is chosen by parallax, the motion comes
    from followed points, and the depth is a blend of both networks'; with ``method='published'``
    it is M-DepthNet's, matched with the frame before by PoseNet's motion. Without a usable earlier
    frame it is S-DepthNet's, where the published code matches the frame with itself; a model
    without M-DepthNet gives that for every frame.
    """

    def __init__(self, model: DepthModel, config: EngineConfig) -> None:
        """
        Prepare a model for running.

        :param model: networks, as :func:`load_checkpoint` gives them.
        :param config: how to run them.
        :raises MdepthError: if the device is absent.
        """
        self.config = config
        self._published = config.method == 'published'
        backend = choose_backend(config, model.eval())
        self.device, self.backend, self.compiles = backend.device, backend.name, backend.compiles
        self.model_config = model.config
        self.scale = config.scale or model.config.scale
        self._networks = Runner(backend, model.config)
        most = 1 if self._published else config.sources
        self._sources = most if model.config.multi_frame else 0
        self._camera: Camera | None = None
        self._preprocessor: Preprocessor | None = None
        self._compiled_for: tuple[int, int] | None = None
        self._motion: EgoMotion = (PoseNetMotion(self._networks) if self._published
                                   else FollowedPoints(self._sources))
        self._buffer = FrameBuffer(self._motion.capacity)
        self._estimated: PastFrame | None = None
        self._filter, self._steady = DepthFilter(), SteadyDepth()
        self._why_single = 'first frame'

    @classmethod
    def from_checkpoint(cls, path: Path | None, config: EngineConfig) -> 'DepthEstimator':
        """
        Load a weights file.

        :param path: safetensors file of this package; None for the one that comes with it.
        :param config: how to run it.
        :raises MdepthError: if the file is not usable or the device is absent.
        """
        return cls(load_checkpoint(path or DEFAULT_WEIGHTS), config)

    def reset(self, reason: str = 'reset') -> None:
        """
        Forget all earlier frames; the next estimate is single-frame.

        :param reason: what that estimate will say.
        """
        self._forget_views(reason)
        self._steady.reset()

    def warm_up(self) -> None:
        """
        Drive towards a wall of blots, so that the first real frames are not slow; leaves no trace.

        Where the backend compiles for the camera's size, and ``config`` does not tell it, the
        first frame of a camera takes the time all the same.
        """
        if self.compiles and not self.config.width:
            return
        for frame in approach_wall(_WARM_UP_FRAMES):
            self.push(frame)
        self._camera = None
        self.reset('first frame')

    @torch.inference_mode()
    def push(self, frame: Frame) -> DepthEstimate:
        """
        Estimate the depth of the newest frame.

        :param frame: the image, its camera and its stamp. A stamp before the last one, one after a
            pause, or another camera empties the buffer; the estimate is then single-frame.
        :return: the estimate, on this estimator's device.
        :raises MdepthError: if the stamp repeats or the camera cannot be used; the state is as
            before the call. If the device refuses, as when its memory is full; the next estimate
            is then single-frame.
        """
        preprocessor = self._follow(frame)  # what a new camera takes is not the frame's
        clock = [self._now()]
        rgb = preprocessor(frame.rgb)
        with self._seen_whole():
            return self._estimate(frame, rgb, preprocessor, clock)

    def _estimate(
        self, frame: Frame, rgb: Image, preprocessor: Preprocessor, clock: list[float]
    ) -> DepthEstimate:
        """Go on from the frame as the networks see it."""
        image = network_input(rgb, self.device)
        K = preprocessor.K.to(self.device)[None]
        clock.append(self._now())

        single = self._networks.single_frame(image, K)
        clock.append(self._now())

        previous = self._buffer.newest
        finish_description = self._networks.start_describe(image)
        tracked = self._motion.track(rgb, image)
        sources = self._motion.sources(list(self._buffer), tracked, single.depth, K)
        chosen = choose_sources(sources, self._sources)
        step = self._step(tracked)
        description = finish_description()
        now = self._keep(description, tracked, step, frame.stamp_ns)
        clock.append(self._now())

        fused = self._match(description, chosen, single, K)
        last = next((source for source in sources if source.frame is previous), None)
        T_previous = None if last is None else last.T_source_target
        if chosen:
            now = replace(now, parallax=chosen[0].frame.parallax + chosen[0].parallax)
        scale, depth = self.scale, fused.depth
        if not self._published:
            before = self._estimated
            elapsed_s = (LONGEST_S if before is None
                         else 1e-9 * (frame.stamp_ns - before.stamp_ns))
            # A frame that was only observed has no depth to go on from.
            T_before = T_previous if previous is before else None
            # Where nothing moves by parallax, the depth is D_s and stays so.
            seen_to_move = bool(chosen) and chosen[0].parallax > STANDING_STILL
            depth = self._filter(depth, fused.confidence, K, T_before if seen_to_move
                                 and elapsed_s <= OUTDATED_S else None)
            scale *= self._steady(depth, single.depth, K, T_before, elapsed_s)
        depth = depth * scale
        clock.append(self._now())

        self._buffer.append(now)
        self._estimated = now
        return DepthEstimate(
            depth=depth,
            valid=(depth > 0) & (depth < math.inf) & preprocessor.valid.to(self.device),
            confidence=fused.confidence,
            single_depth=single.depth * self.scale,
            rgb=rgb,
            K=K[0],
            stamp_ns=frame.stamp_ns,
            mode=Mode.MULTI if chosen else Mode.SINGLE,
            reason='' if chosen else self._reason(previous),
            T_source_target=_in_metres(chosen[0].T_source_target, scale) if chosen else None,
            source_stamp_ns=chosen[0].frame.stamp_ns if chosen else None,
            T_previous_target=_in_metres(T_previous, scale),
            previous_stamp_ns=None if T_previous is None or previous is None
            else previous.stamp_ns,
            scale=self.scale,
            timings=Timings(*(1e3 * (b - a) for a, b in pairwise(clock))),
        )

    @torch.inference_mode()
    def observe(self, frame: Frame) -> None:
        """
        Keep a frame for matching without estimating its depth, for when nobody asks for that.

        :param frame: as for :meth:`push`.
        :raises MdepthError: as for :meth:`push`.
        """
        rgb = self._follow(frame)(frame.rgb)
        with self._seen_whole():
            image = network_input(rgb, self.device)
            finish_description = self._networks.start_describe(image)
            tracked = self._motion.track(rgb, image)
            step = self._step(tracked)
            self._buffer.append(self._keep(finish_description(), tracked, step, frame.stamp_ns))

    @contextmanager
    def _seen_whole(self) -> Iterator[None]:
        """Forget what was seen if a frame fails halfway: points went on, the buffer did not."""
        try:
            yield
        except MdepthError:
            self._forget_views('the frame before was refused')
            raise

    def _step(self, tracked: TrackedPoints) -> float:
        """How far the image moved since the newest past frame [image widths]."""
        newest = self._buffer.newest
        return 0.0 if newest is None else displacement(newest.tracked, tracked)

    def _keep(
        self, description: Description, tracked: TrackedPoints, step: float, stamp_ns: int
    ) -> PastFrame:
        """Make of the newest frame a past one, of which less is needed."""
        newest = self._buffer.newest
        kept = description._replace(context=description.context.new_empty(0))
        if newest is None:
            return PastFrame(kept, stamp_ns, tracked)
        # Until more is known, all of it counts as parallax.
        return PastFrame(kept, stamp_ns, tracked, newest.travelled + step, newest.parallax + step)

    def _match(
        self, target: Description, chosen: Sequence[Source], single: SingleFrame, K: Tensor
    ) -> Fused:
        """Run M-DepthNet on the chosen frames, and weigh its depth against S-DepthNet's."""
        if not chosen:
            return self._networks.unmatched(target, single)
        return self._networks.fuse(
            target, [source.frame.description for source in chosen],
            [source.T_source_target for source in chosen], single, K)

    def _follow(self, frame: Frame) -> Preprocessor:
        """Start afresh where time or camera jump; returns the preprocessor of this camera."""
        newest = self._buffer.newest
        elapsed_s = 0.0 if newest is None else (frame.stamp_ns - newest.stamp_ns) * 1e-9
        if newest is not None and frame.stamp_ns == newest.stamp_ns:
            raise BadImage(f'the stamp {frame.stamp_ns * 1e-9:.9f} s repeats: every image needs '
                           f'the time at which it was taken')
        if (self._preprocessor is None or self._camera is None
                or not self._camera.is_nearly(frame.camera)):
            self._preprocessor = self._make_preprocessor(frame.camera)
            if self._camera is not None:
                self.reset('the camera changed')
            self._camera = frame.camera
        if elapsed_s < 0:
            self.reset(f'time went back by {-elapsed_s:.3f} s')
        elif elapsed_s > self.config.max_gap_s:
            self._forget_views(f'a gap of {elapsed_s:.3f} s')
        return self._preprocessor

    def _forget_views(self, reason: str) -> None:
        """Match with nothing that was seen so far; the depth's overall scale goes on."""
        self._buffer.clear()
        self._estimated = None
        self._motion.reset()
        self._filter.reset()
        self._why_single = reason

    def _make_preprocessor(self, camera: Camera) -> Preprocessor:
        """Choose the network's size for this camera."""
        width, height = self.config.width, self.config.height
        if not width:
            width, height = network_size(camera.width, camera.height, self.config.pixel_budget)
        preprocessor = Preprocessor(camera, width, height, self.config.rectify)
        if self.compiles and (width, height) != self._compiled_for:
            self._networks.run_all(width, height, self._sources, self._published)
            self._compiled_for = width, height
        return preprocessor

    def _reason(self, previous: PastFrame | None) -> str:
        """Say why a depth is single-frame."""
        if not self.model_config.multi_frame:
            return NOTHING_MATCHES
        return self._why_single if previous is None else LOST

    def _now(self) -> float:
        """Read the clock when the device has finished [s]."""
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def _in_metres(T: Tensor | None, scale: float) -> Tensor | None:
    """Scale a (1, 4, 4) motion's translation; returns (4, 4)."""
    if T is None:
        return None
    scaled = T[0].clone()
    scaled[:3, 3] *= scale
    return scaled
