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

"""What a session says about the node: counts, times, and the error where there is a truth."""

from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
from mdepth_ros.cli.driven_node import STATUS
from mdepth_ros.cli.json_file import write_json
from mdepth_ros.cli.played.material import Material, TRUTH_TOPIC
from mdepth_ros.cli.played.recording import diagnostic_values, pixels_of, read_messages
from mdepth_ros.cli.played.session import DEPTH, POINTS, Session
from mdepth_ros.training.evaluation.metrics import (
    depth_metrics,
    DepthMetrics,
    mean_metrics,
    median_ratio,
)
from mdepth_ros.training.evaluation.protocol import ALL, scored_pixels
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Latency:
    """From just before an image is published to when the answer is received [ms]."""

    median_ms: float
    p95_ms: float


@dataclass(frozen=True)
class FrameError:
    """
    Of one image: the depth as it is (``raw``), and multiplied by ``ratio`` (``scaled``).

    ``ratio`` is ``median(truth) / median(depth)``, ``coverage`` as in :class:`DepthError`.
    """

    coverage: float
    raw: DepthMetrics
    scaled: DepthMetrics
    ratio: float


@dataclass(frozen=True)
class DepthError:
    """
    Means over frames, against a truth between 0.1 and 80 m.

    ``scaled`` values multiply each frame by its own :class:`FrameError` ``ratio``;
    ``scale_median`` is the middle of these factors (1 is metric), ``scale_spread`` their standard
    deviation over it. ``coverage`` is the share of the true pixels that have a depth.
    """

    frames: int
    coverage: float
    abs_rel_raw: float
    d1_raw: float
    abs_rel_scaled: float
    d1_scaled: float
    scale_median: float
    scale_spread: float


@dataclass(frozen=True)
class Report:
    """
    All numbers of one session.

    ``replaced_from`` is ``diagnostics``, or ``difference`` where the node reported no count.
    ``frames_per_second`` is None where fewer than two depths came.
    ``modes`` counts frames by the network that their depth came from. ``latency`` is by topic.
    """

    material: str
    images_played: int
    depth_images: int
    unmatched_stamps: int
    images_replaced: int
    replaced_from: str
    frames_per_second: float | None
    latency: dict[str, Latency]
    modes: dict[str, int]
    last_diagnostics: dict[str, str]
    depth_error: DepthError | None
    transitions: list[dict[str, object]]
    node_exit_status: int
    recorded: dict[str, int]

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        write_json(path, asdict(self))

    def table(self) -> str:
        """Return it as a small table for a terminal."""
        rows = [('played', self.material),
                ('images in / depth out', f'{self.images_played} / {self.depth_images}'),
                ('replaced by a newer one', f'{self.images_replaced} (from '
                                            f'{self.replaced_from})'),
                ('outputs with a foreign stamp', str(self.unmatched_stamps)),
                ('depth images per second', 'too few to tell' if self.frames_per_second is None
                 else f'{self.frames_per_second:.1f}')]
        rows += [(f'latency of {topic}',
                  f'median {latency.median_ms:.0f} ms, 95 % {latency.p95_ms:.0f} ms')
                 for topic, latency in self.latency.items()]
        rows.append(('frames by mode', ', '.join(
            f'{mode} {count}' for mode, count in self.modes.items()) or 'not reported'))
        if self.last_diagnostics.get('scale'):
            rows.append(('metric scale', f'{self.last_diagnostics["scale"]} '
                         f'({self.last_diagnostics.get("scale_state", "")})'))
        if self.depth_error is not None:
            error = self.depth_error
            rows += [('AbsRel / d1, as published',
                      f'{error.abs_rel_raw:.3f} / {error.d1_raw:.3f}'),
                     ('AbsRel / d1, median-scaled',
                      f'{error.abs_rel_scaled:.3f} / {error.d1_scaled:.3f}'),
                     ('truth / depth', f'{error.scale_median:.3f}, spread '
                      f'{100 * error.scale_spread:.1f} % ({error.frames} of '
                      f'{self.depth_images} frames, '
                      f'{100 * error.coverage:.0f} % of pixels)')]
        else:
            rows.append(('error', 'no truth to compare with'))
        width = max(len(name) for name, _ in rows)
        return '\n'.join(f'  {name:<{width}}  {value}' for name, value in rows)


def make_report(material: Material, session: Session) -> Report:
    """
    Compute everything.

    :param material: what was played.
    :param session: what happened.
    :return: the report.
    """
    times = session.times()
    sent = {frame.stamp_ns: frame.published_ns for frame in session.played}
    depth_times = times.get(DEPTH, {})
    received = sorted(depth_times.values())
    diagnostics = diagnostic_values(session.recording, STATUS)
    last = diagnostics[-1] if diagnostics else {}
    # The most of all messages: the node counts from zero again when it is deactivated.
    most: dict[str, int] = {}
    for values in diagnostics:
        for key, value in values.items():
            if value.isdigit():
                most[key] = max(most.get(key, 0), int(value))
    foreign = [stamp for stamps in times.values() for stamp in stamps if stamp not in sent]
    return Report(
        material=material.name,
        images_played=len(sent),
        depth_images=session.recorded.get(DEPTH, 0),
        unmatched_stamps=len(foreign),
        images_replaced=most.get('images_replaced', len(sent) - len(received)),
        replaced_from='diagnostics' if 'images_replaced' in most else 'difference',
        frames_per_second=_rate(received),
        latency={name: _latency(sent, times[topic])
                 for name, topic in (('depth/image', DEPTH), ('depth/points', POINTS))
                 if sent.keys() & times.get(topic, {}).keys()},
        modes={mode: most[f'frames_{mode}'] for mode in ('single', 'multi')
               if f'frames_{mode}' in most},
        last_diagnostics=last,
        depth_error=None if material.truth is None else depth_error(
            material.truth, session.recording),
        transitions=[asdict(transition) for transition in session.transitions],
        node_exit_status=session.exit_status,
        recorded=session.recorded)


def depth_error(truth: Path, recording: Path) -> DepthError | None:
    """
    Compare the recorded depth with the truth.

    :param truth: bag of 32FC1 depth.
    :param recording: what the node published.
    :return: the error, or None if no frame has both.
    """
    depths = {item.stamp_ns: pixels_of(item.message) for item in read_messages(recording, DEPTH)}
    errors = [error for item in read_messages(truth, TRUTH_TOPIC) if item.stamp_ns in depths
              if (error := frame_error(depths[item.stamp_ns], pixels_of(item.message)))]
    if not errors:
        return None
    raw = mean_metrics([error.raw for error in errors])
    scaled = mean_metrics([error.scaled for error in errors])
    ratios = np.array([error.ratio for error in errors])
    middle = float(np.median(ratios))
    return DepthError(
        frames=len(errors), coverage=float(np.mean([error.coverage for error in errors])),
        abs_rel_raw=raw.abs_rel, d1_raw=raw.d1, abs_rel_scaled=scaled.abs_rel, d1_scaled=scaled.d1,
        scale_median=middle, scale_spread=float(ratios.std() / middle))


def frame_error(depth: NDArray[np.float32], truth: NDArray[np.float32]) -> FrameError | None:
    """
    Compare one frame.

    :param depth: (h, w) published depth [m]; NaN and Inf are left out.
    :param truth: (H, W) true depth [m]; NaN and Inf are left out.
    :return: the error, None if no pixel has both.
    """
    if depth.shape != truth.shape:
        # Nearest: no pixel becomes a mixture of near and far, or of a number and NaN.
        depth = cv2.resize(depth, truth.shape[::-1], interpolation=cv2.INTER_NEAREST)
    known = scored_pixels(truth, ALL)
    both = known & np.isfinite(depth) & (depth > 0)
    if not both.any():
        return None
    ratio = median_ratio(depth, truth, both)
    return FrameError(float(both.sum() / known.sum()), depth_metrics(depth, truth, both),
                      depth_metrics(depth * ratio, truth, both), ratio)


def _rate(received_ns: list[int]) -> float | None:
    """Messages per second, from the first to the last; None where that takes no time."""
    seconds = 1e-9 * (received_ns[-1] - received_ns[0]) if received_ns else 0.0
    return (len(received_ns) - 1) / seconds if seconds else None


def _latency(sent: dict[int, int], received: dict[int, int]) -> Latency:
    """Measure from image to answer, for the stamps that have both."""
    values = [(received[stamp] - sent[stamp]) / 1e6 for stamp in sent.keys() & received.keys()]
    return Latency(float(np.median(values)), float(np.percentile(values, 95)))
