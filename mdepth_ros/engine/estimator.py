"""Frames in, depth out: the method at inference, frame after frame."""

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.confidence import SINGLE_FRAME_CONFIDENCE, matching_confidence
from mdepth_ros.engine.device import choose_device
from mdepth_ros.engine.frames import DepthEstimate, Frame, FrameBuffer, Mode, PastFrame, Timings
from mdepth_ros.engine.preprocess import Preprocessor, network_size
from mdepth_ros.engine.tracked_motion import (
    FEWEST_TRACKS,
    follow_corners,
    search_image,
    tracked_motion,
)
from mdepth_ros.errors import BadImage
from mdepth_ros.geometry.depth import disparity_to_depth
from mdepth_ros.geometry.intrinsics import stride_intrinsics
from mdepth_ros.geometry.pose import invert_motion
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.features import MATCHING_STRIDE

# A pause is longer than max_gap and than this many times what a frame takes: a slow computer skips
# images that came in good time.
SLOW_FACTOR = 3.0
BUFFER_CAPACITY = 1  # the source is the frame before
# Followed points tell the motion if such a share of them agrees.
FEWEST_AGREEING = 0.5


class DepthEstimator:
    """
    S-DepthNet on every frame, PoseNet and M-DepthNet where there is an earlier one.

    Source: paper, section III. Differs: without a usable earlier frame the depth is
    S-DepthNet's, where the published code matches the frame with itself.
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
        self._buffer = FrameBuffer(BUFFER_CAPACITY)
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
        self._why_single = reason

    def warm_up(self) -> None:
        """Run two frames of noise, so that the first real one is not slow; leaves no trace."""
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

        source = self._buffer.newest
        search = self._search_image(image)
        T_source_target = (None if source is None
                           else self._motion(source, image, search, single_depth, K[None]))
        clock.append(self._now())

        target = self.model.multi.features(image)
        if source is None or T_source_target is None:
            depth = single_depth
            confidence = torch.full_like(depth, SINGLE_FRAME_CONFIDENCE)
        else:
            matched = self.model.multi(target, source.matching[:, None], single_depth,
                                       stride_intrinsics(K, MATCHING_STRIDE)[None],
                                       T_source_target[:, None])
            depth = matched.depth
            confidence = matching_confidence(matched.window_mass, depth, single_depth)
        clock.append(self._now())

        self._buffer.append(PastFrame(image, target.matching, frame.stamp_ns, search))
        self._busy_s = clock[-1] - clock[0]
        return DepthEstimate(
            depth=depth * self.scale,
            valid=depth.isfinite() & (depth > 0) & preprocessor.valid.to(self.device),
            confidence=confidence,
            single_depth=single_depth * self.scale,
            image=image,
            K=K,
            stamp_ns=frame.stamp_ns,
            mode=Mode.SINGLE if source is None else Mode.MULTI,
            reason=self._why_single if source is None else '',
            T_source_target=_in_metres(T_source_target, self.scale),
            source_stamp_ns=None if source is None else source.stamp_ns,
            T_previous_target=_in_metres(T_source_target, self.scale),
            previous_stamp_ns=None if source is None else source.stamp_ns,
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
        matching = self.model.multi.features(image).matching
        self._buffer.append(
            PastFrame(image, matching, frame.stamp_ns, self._search_image(image)))

    def _single_frame_depth(self, image: Tensor) -> Tensor:
        """Run S-DepthNet: (1, 3, H, W) image -> (1, 1, H, W) depth [network units]."""
        config = self.model.config
        return disparity_to_depth(self.model.single(image), config.min_depth, config.max_depth)

    def _search_image(self, image: Tensor) -> NDArray[np.uint8] | None:
        """Prepare a frame for following points, where that gives the motion."""
        return search_image(image) if self.config.motion == 'tracked' else None

    def _motion(
        self, source: PastFrame, target: Tensor, search: NDArray[np.uint8] | None,
        single_depth: Tensor, K: Tensor,
    ) -> Tensor:
        """Return (1, 4, 4) T_source_target: by followed points, or PoseNet's where they fail."""
        if search is not None and source.search is not None:
            height, width = target.shape[-2:]
            tracks = follow_corners(search, source.search, width, height)
            tracked = tracked_motion(tracks, single_depth, K)
            if tracked.followed >= FEWEST_TRACKS and tracked.agreeing >= FEWEST_AGREEING:
                return tracked.T_source_target
        return invert_motion(self.model.pose.motion(source.image, target))

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
