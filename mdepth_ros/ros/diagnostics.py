"""What the node says of itself once a second."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from mdepth_ros.engine.frames import DepthEstimate
from mdepth_ros.engine.scale import Scale, ScaleState

WINDOW_S = 5.0


@dataclass(frozen=True)
class Sample:
    """One frame that was published: when, how long it took [ms], and its estimate's stages."""

    finished_s: float
    stages_ms: dict[str, float]


class Status:
    """Counters that the worker fills and the diagnostics timer reads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Start at zero.

        :param clock: seconds that only grow.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._samples: deque[Sample] = deque()
        self._error: tuple[float, str] | None = None
        self._mode, self._reason = 'waiting', 'no image yet'
        self._scale: Scale | None = None
        self._size = ''
        self.published = 0
        self.rejected = 0

    def accepted(
        self, estimate: DepthEstimate, scale: Scale, latency_ms: float, publish_ms: float
    ) -> None:
        """
        Count a frame that went out.

        :param estimate: its depth.
        :param scale: the scale in use.
        :param latency_ms: from the image's arrival to the last message's departure.
        :param publish_ms: share of that after the networks.
        """
        timings = estimate.timings
        stages = {'latency': latency_ms, 'preprocess': timings.preprocess_ms,
                  'single': timings.single_ms, 'pose': timings.pose_ms,
                  'multi': timings.multi_ms, 'publish': publish_ms}
        with self._lock:
            self.published += 1
            self._samples.append(Sample(self._clock(), stages))
            self._mode, self._reason = estimate.mode.value, estimate.reason
            self._scale = scale
            self._size = f'{estimate.depth.shape[3]} x {estimate.depth.shape[2]}'

    def refused(self, error: str) -> None:
        """Count a frame that could not be used."""
        with self._lock:
            self.rejected += 1
            self._error = self._clock(), error

    def waiting(self, reason: str) -> None:
        """Say why nothing is published."""
        with self._lock:
            self._mode, self._reason = 'waiting', reason

    def message(
        self, name: str, received: int, replaced: int, facts: dict[str, str]
    ) -> DiagnosticArray:
        """
        Summarise the last seconds.

        :param name: what this is the status of.
        :param received: images that came.
        :param replaced: images that a newer one replaced.
        :param facts: more lines: weights, device.
        :return: the array, without a stamp.
        """
        with self._lock:
            now = self._clock()
            while self._samples and now - self._samples[0].finished_s > WINDOW_S:
                self._samples.popleft()
            samples = list(self._samples)
            error = self._error[1] if self._error and now - self._error[0] < WINDOW_S else ''
            mode = self._mode if samples else 'waiting'
            reason = self._reason
            if not samples and self._mode != 'waiting':
                reason = 'no image for some seconds'
            scale, size = self._scale, self._size
        values = {'mode': mode, 'reason': reason,
                  'rate_hz': f'{len(samples) / WINDOW_S:.2f}', 'images_received': str(received),
                  'images_replaced': str(replaced), 'images_rejected': str(self.rejected),
                  'frames_published': str(self.published), 'network_size': size, **facts}
        if samples:
            values |= {f'{stage}_ms': f'{mean(s.stages_ms[stage] for s in samples):.2f}'
                       for stage in samples[0].stages_ms}
        if scale is not None:
            values |= {'scale': f'{scale.value:.6g}', 'scale_state': scale.state.value}
        level, text = DiagnosticStatus.OK, mode
        if error:
            level, text = DiagnosticStatus.ERROR, error
        elif mode == 'waiting':
            level, text = DiagnosticStatus.WARN, f'waiting: {reason}'
        elif scale is not None and scale.state is not ScaleState.LOCKED:
            level, text = DiagnosticStatus.WARN, f'{mode}, scale {scale.state.value}'
        status = DiagnosticStatus(
            level=level, name=name, message=text, hardware_id=name,
            values=[KeyValue(key=key, value=value) for key, value in values.items()])
        return DiagnosticArray(status=[status])
