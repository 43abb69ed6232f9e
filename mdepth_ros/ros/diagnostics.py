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

"""What the node says of itself, at ``diagnostics.rate``."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import mean
import threading
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from mdepth_ros.engine.frames import DepthEstimate, Mode
from mdepth_ros.engine.scale.state import Scale, ScaleState
from rclpy.serialization import deserialize_message

WINDOW_S = 5.0
_OURS = ': depth'


def status_name(node: str) -> str:
    """
    Name a node's status among those of ``/diagnostics``, where all nodes meet.

    :param node: fully qualified, as ``/robot/mdepth``.
    """
    return node[1:] + _OURS


def node_of(status: str) -> str | None:
    """
    Tell whose status it is.

    :param status: its name.
    :return: the node, fully qualified; None where the status is none of ours.
    """
    return f'/{status.removesuffix(_OURS)}' if status.endswith(_OURS) else None


@dataclass(frozen=True)
class Sample:
    """One frame that was published: when [s], and how long each of its stages took [ms]."""

    finished_s: float
    stages_ms: dict[str, float]


class Status:
    """
    Counters that the worker fills and the diagnostics timer reads.

    Every image that came was replaced by a newer one, refused, withheld, unheard or published, but
    for the one that waits and the one in work.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Start at zero.

        :param clock: seconds that only grow.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._started_s = clock()
        self._began_s: float | None = None  # when the image in work was taken
        self._seen_s: float | None = None  # when the last image was done with
        self._samples: deque[Sample] = deque()
        self._error: tuple[float, str] | None = None
        self._failure = ''
        self._mode, self._reason, self._level = 'waiting', 'no image yet', DiagnosticStatus.WARN
        self._scale: Scale | None = None
        self._size = ''
        self._refused = self._withheld = self._unheard = 0
        self._published: Counter[Mode] = Counter()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Note that an image is being worked on, which may take long: networks are compiled."""
        with self._lock:
            self._began_s = self._clock()
        try:
            yield
        finally:
            with self._lock:
                self._began_s, self._seen_s = None, self._clock()

    def accepted(
        self, estimate: DepthEstimate, scale: Scale, latency_ms: float, publish_ms: float
    ) -> None:
        """
        Count a frame that went out.

        :param estimate: its depth.
        :param scale: the scale it was made with.
        :param latency_ms: from the image's arrival to the last message's departure.
        :param publish_ms: share of that after the networks.
        """
        timings = estimate.timings
        stages = {'latency': latency_ms, 'preprocess': timings.preprocess_ms,
                  'single': timings.single_ms, 'pose': timings.pose_ms,
                  'multi': timings.multi_ms, 'publish': publish_ms}
        with self._lock:
            self._published[estimate.mode] += 1
            self._samples.append(Sample(self._clock(), stages))
            self._mode, self._reason = estimate.mode.value, estimate.reason
            self._level = DiagnosticStatus.OK
            self._scale = scale
            self._size = f'{estimate.depth.shape[3]} x {estimate.depth.shape[2]}'

    def refused(self, error: str) -> None:
        """Count a frame that could not be used."""
        with self._lock:
            self._refused += 1
            self._error = self._clock(), error

    def unheard(self, scale: Scale) -> None:
        """Count a frame that nobody wanted, which is as it should be."""
        with self._lock:
            self._unheard += 1
            self._scale = scale
            self._mode, self._reason = 'waiting', 'nobody subscribes'
            self._level = DiagnosticStatus.OK

    def withheld(self, reason: str, scale: Scale) -> None:
        """Count a frame that is not good enough to publish."""
        with self._lock:
            self._withheld += 1
            self._mode, self._reason, self._level = 'waiting', reason, DiagnosticStatus.WARN
            self._scale = scale

    def failed(self, error: str) -> None:
        """Say for good that no frame will come any more."""
        with self._lock:
            self._refused += 1
            self._failure = error

    def message(
        self, name: str, received: int, replaced: int, facts: dict[str, str], paused: str = ''
    ) -> DiagnosticArray:
        """
        Summarise the last seconds.

        :param name: what this is the status of.
        :param received: images that came.
        :param replaced: images that a newer one replaced.
        :param facts: more lines: weights, device.
        :param paused: why the node takes no images, if that is so.
        :return: the array, without a stamp.
        """
        with self._lock:
            level, text, values = self._summary(received, replaced, facts, paused)
        status = DiagnosticStatus(
            level=level, name=name, message=text, hardware_id=name,
            values=[KeyValue(key=key, value=value) for key, value in values.items()])
        return DiagnosticArray(status=[status])

    def _summary(
        self, received: int, replaced: int, facts: dict[str, str], paused: str
    ) -> tuple[bytes, str, dict[str, str]]:
        """Return level, text and values; called with the lock held."""
        now = self._clock()
        while self._samples and now - self._samples[0].finished_s > WINDOW_S:
            self._samples.popleft()
        mode, reason, level = self._mode, self._reason, self._level
        if paused:
            mode, reason, level = 'waiting', paused, DiagnosticStatus.OK
        elif self._began_s is not None:
            if self._seen_s is None:
                reason = 'the first image is being worked on'
            elif now - self._began_s > WINDOW_S:
                mode, reason, level = ('waiting', 'an image has been worked on for some seconds',
                                       DiagnosticStatus.WARN)
        elif self._seen_s is not None and now - self._seen_s > WINDOW_S:
            mode, reason, level = 'waiting', 'no image for some seconds', DiagnosticStatus.WARN
        rate = len(self._samples) / min(WINDOW_S, max(now - self._started_s, 1e-3))
        values = {
            'mode': mode, 'reason': reason, 'rate_hz': f'{rate:.2f}',
            'images_received': str(received), 'images_replaced': str(replaced),
            'images_rejected': str(self._refused), 'frames_withheld': str(self._withheld),
            'frames_unheard': str(self._unheard),
            'frames_published': str(self._published.total()),
            'frames_single': str(self._published[Mode.SINGLE]),
            'frames_multi': str(self._published[Mode.MULTI]), 'network_size': self._size, **facts}
        if self._samples:
            values |= {f'{stage}_ms': f'{mean(s.stages_ms[stage] for s in self._samples):.2f}'
                       for stage in self._samples[0].stages_ms}
        if self._scale is not None:
            values |= {'scale': f'{self._scale.value:.6g}',
                       'scale_state': self._scale.state.value}

        if self._failure:
            return DiagnosticStatus.ERROR, self._failure, values
        if self._error is not None and now - self._error[0] < WINDOW_S and not paused:
            return DiagnosticStatus.ERROR, self._error[1], values
        if mode == 'waiting':
            return level, f'waiting: {reason}', values
        if self._scale is not None and self._scale.state is not ScaleState.LOCKED:
            return DiagnosticStatus.WARN, f'{mode}, scale {self._scale.state.value}', values
        return level, mode, values


def values_of(cdr: bytes, name: str) -> dict[str, str]:
    """
    Read back what a status said.

    :param cdr: a serialised DiagnosticArray.
    :param name: of the status.
    :return: its values by key; none where the array has no such status.
    """
    return {pair.key: pair.value
            for status in deserialize_message(cdr, DiagnosticArray).status if status.name == name
            for pair in status.values}
