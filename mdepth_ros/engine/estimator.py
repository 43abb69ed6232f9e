"""Frames in, depth out: the method at inference, frame after frame."""

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.device import choose_device
from mdepth_ros.engine.ego_motion import EgoMotion, FollowedPoints, PoseNetMotion
from mdepth_ros.engine.frame_buffer import FrameBuffer, PastFrame
from mdepth_ros.engine.frames import DepthEstimate, Frame, Mode, Timings
from mdepth_ros.engine.point_tracker import TrackedPoints, displacement
from mdepth_ros.engine.preprocess import Preprocessor, network_size
from mdepth_ros.engine.sources import Source, choose_sources
from mdepth_ros.engine.steady import SteadyDepth
from mdepth_ros.errors import BadImage
from mdepth_ros.geometry.depth import disparity_to_depth
from mdepth_ros.geometry.intrinsics import stride_intrinsics
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.evidence import matching_evidence, no_evidence, thumbnail
from mdepth_ros.networks.features import MATCHING_STRIDE, ImageFeatures
from mdepth_ros.networks.hypotheses import downsample_nearest
from mdepth_ros.networks.trust import Trust

# A pause is longer than max_gap and than this many times what a frame takes: a slow computer skips
# images that came in good time.
SLOW_FACTOR = 3.0
LOST = 'no earlier frame shows enough of the same points'


class DepthEstimator:
    """
    S-DepthNet on every frame, M-DepthNet where an earlier one shows the same from elsewhere.

    Source: paper, section III. Differs: the earlier frame is chosen by parallax, the motion comes
    from followed points, and the depth is a blend of both networks'; with ``method='published'``
    it is M-DepthNet's, matched with the frame before by PoseNet's motion. Without a usable earlier
    frame it is S-DepthNet's, where the published code matches the frame with itself.
    """

    def __init__(self, model: DepthModel, config: EngineConfig) -> None:
        """
        Prepare a model for running.

        :param model: networks, as :func:`load_checkpoint` gives them.
        :param config: how to run them.
        :raises MdepthError: if the device is absent.
        """
        self.config = config
        self.device = choose_device(config.device)
        self.model = model.to(self.device).eval()
        self.scale = config.scale or model.config.scale
        self._camera: Camera | None = None
        self._preprocessor: Preprocessor | None = None
        self._published = config.method == 'published'
        self._motion: EgoMotion = (PoseNetMotion(self.model.pose) if self._published
                                   else FollowedPoints())
        self._buffer = FrameBuffer(self._motion.capacity)
        self._steady = SteadyDepth()
        self._why_single = 'first frame'
        self._busy_s = 0.0

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
        self._buffer.clear()
        self._motion.reset()
        self._steady.reset()
        self._why_single = reason

    def warm_up(self) -> None:
        """Run a frame of noise twice, so that the first real one is not slow; leaves no trace."""
        camera = Camera.from_fov(640, 480, 90.0)
        noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
        for stamp_ns in (1, 2):
            self.push(Frame(noise, camera, stamp_ns))
        self._camera, self._busy_s = None, 0.0
        self.reset('first frame')

    @torch.inference_mode()
    def push(self, frame: Frame) -> DepthEstimate:
        """
        Estimate the depth of the newest frame.

        :param frame: the image, its camera and its stamp. A stamp before the last one, one after a
            pause, or another camera empties the buffer; the estimate is then single-frame.
        :return: the estimate, on this estimator's device.
        :raises MdepthError: if the stamp repeats or the camera cannot be used; the state is as
            before the call.
        """
        clock = [self._now()]
        preprocessor = self._follow(frame)
        image = preprocessor(frame.rgb).to(self.device)
        K = preprocessor.K.to(self.device)
        clock.append(self._now())

        single_depth = self._single_frame_depth(image)
        clock.append(self._now())

        tracked = self._motion.track(image)
        previous = self._buffer.newest
        sources = self._motion.sources(list(self._buffer), image, tracked, single_depth, K[None])
        chosen = choose_sources(sources, self.config.sources)
        clock.append(self._now())

        now, target = self._look(image, frame.stamp_ns, tracked)
        trust = self._match(target, now.thumbnail, chosen, single_depth, K[None])
        T_previous = next((source.T_source_target for source in sources
                           if source.frame is previous), None)
        scale = self.scale
        if not self._published:
            elapsed_s = 0.0 if previous is None else 1e-9 * (frame.stamp_ns - previous.stamp_ns)
            scale *= self._steady(trust.depth, K[None], T_previous, elapsed_s)
        depth = trust.depth * scale
        clock.append(self._now())

        self._buffer.append(now)
        self._busy_s = clock[-1] - clock[0]
        return DepthEstimate(
            depth=depth,
            valid=depth.isfinite() & (depth > 0) & preprocessor.valid.to(self.device),
            confidence=trust.confidence,
            single_depth=single_depth * self.scale,
            image=image,
            K=K,
            stamp_ns=frame.stamp_ns,
            mode=Mode.MULTI if chosen else Mode.SINGLE,
            reason='' if chosen else self._why_single if previous is None else LOST,
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
        image = self._follow(frame)(frame.rgb).to(self.device)
        now, _ = self._look(image, frame.stamp_ns, self._motion.track(image))
        self._buffer.append(now)

    def _single_frame_depth(self, image: Tensor) -> Tensor:
        """Run S-DepthNet: (1, 3, H, W) image -> (1, 1, H, W) depth [network units]."""
        config = self.model.config
        return disparity_to_depth(self.model.single(image), config.min_depth, config.max_depth)

    def _look(
        self, image: Tensor, stamp_ns: int, tracked: TrackedPoints
    ) -> tuple[PastFrame, ImageFeatures]:
        """Prepare a frame for matching, now and, as a past one, later."""
        features = self.model.multi.features(image)
        newest = self._buffer.newest
        travelled = 0.0 if newest is None else (
            newest.travelled + displacement(newest.tracked, tracked))
        return PastFrame(image, features.matching, thumbnail(image), stamp_ns, tracked,
                         travelled), features

    def _match(
        self, target: ImageFeatures, small: Tensor, chosen: Sequence[Source],
        single_depth: Tensor, K: Tensor,
    ) -> Trust:
        """Run M-DepthNet on the chosen frames, and weigh its depth against S-DepthNet's."""
        height, width = small.shape[-2:]
        single_small = downsample_nearest(single_depth, height, width)
        if not chosen:
            trust: Trust = self.model.trust(no_evidence(single_small, small), single_depth,
                                            single_depth)
            return trust
        K = stride_intrinsics(K, MATCHING_STRIDE)
        matched = self.model.multi(
            target, torch.stack([source.frame.matching for source in chosen], dim=1),
            single_depth, K, torch.stack([source.T_source_target for source in chosen], dim=1))
        best = chosen[0]
        trust = self.model.trust(
            matching_evidence(matched, single_small, small, best.frame.thumbnail, K,
                              best.T_source_target),
            matched.depth, single_depth)
        return trust._replace(depth=matched.depth) if self._published else trust

    def _follow(self, frame: Frame) -> Preprocessor:
        """Start afresh where time or camera jump; returns the preprocessor of this camera."""
        newest = self._buffer.newest
        elapsed_s = 0.0 if newest is None else (frame.stamp_ns - newest.stamp_ns) * 1e-9
        if newest is not None and frame.stamp_ns == newest.stamp_ns:
            raise BadImage(f'the stamp {frame.stamp_ns * 1e-9:.9f} s repeats: every image needs '
                           f'the time at which it was taken')
        if self._preprocessor is None or self._camera != frame.camera:
            self._preprocessor = self._make_preprocessor(frame.camera)
            if self._camera is not None:
                self.reset('the camera changed')
            self._camera = frame.camera
        if elapsed_s < 0:
            self.reset(f'time went back by {-elapsed_s:.3f} s')
        elif elapsed_s > max(self.config.max_gap_s, SLOW_FACTOR * self._busy_s):
            self.reset(f'a gap of {elapsed_s:.3f} s')
        return self._preprocessor

    def _make_preprocessor(self, camera: Camera) -> Preprocessor:
        """Choose the network's size for this camera."""
        width, height = self.config.width, self.config.height
        if not width:
            width, height = network_size(camera.width, camera.height, self.config.pixel_budget)
        return Preprocessor(camera, width, height, self.config.rectify)

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
