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

"""Whether the node lasted: each criterion with its figure and its limit."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from mdepth_ros.cli.soak.latency import latencies_ms, longest_pause_s, settled
from mdepth_ros.cli.soak.observed import MemorySample, Observed
import numpy as np

# A shorter run says nothing about memory: it is still warming up.
MEMORY_RUN_S = 300.0
GROWTH_LIMIT, P99_LIMIT, PAUSE_LIMIT_S = 0.05, 2.0, 5.0


@dataclass(frozen=True)
class Criterion:
    """
    What must hold.

    ``figure`` must not be above ``limit``; None where the run is too short to judge, which
    ``meaning`` says.
    """

    name: str
    figure: float | None
    limit: float
    meaning: str

    @property
    def holds(self) -> bool:
        """Return whether nothing speaks against it."""
        return self.figure is None or self.figure <= self.limit

    def line(self) -> str:
        """Return it as a line for a terminal."""
        verdict = 'not judged' if self.figure is None else 'ok' if self.holds else 'FAILED'
        figure = '-' if self.figure is None else f'{self.figure:.4g}'
        return (f'  {verdict:<10}  {self.name:<25} {figure:>8}, at most {self.limit:g}: '
                f'{self.meaning}')


@dataclass(frozen=True)
class Latency:
    """From just before an image is published to when its depth is received [ms]."""

    count: int
    median_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class SoakReport:
    """
    All numbers of one run, in the order of the JSON.

    ``counts`` are the node's own; ``transitions`` has for each kind how many, and the median and
    the longest time [s]; ``memory_mb`` is a list of seconds from the start and megabytes.
    """

    passed: bool
    trouble: str
    criteria: Sequence[Criterion]
    seconds: float
    turns: int
    images_played: int
    depths_received: int
    counts: Mapping[str, int]
    latency: Latency | None
    latency_with_restarts: Latency | None
    restarts: int
    first_depth_s: Sequence[float | None]
    transitions: Mapping[str, Mapping[str, float]]
    visits: int
    memory_mb: Sequence[tuple[float, float]]
    exit_status: int

    def numbers(self) -> dict[str, object]:
        """Return everything for a JSON file."""
        return asdict(self) | {'criteria': [asdict(criterion) | {'holds': criterion.holds}
                                            for criterion in self.criteria]}

    def text(self) -> str:
        """Return what people want to know, line by line."""
        counts = self.counts
        lines = [f'{self.seconds / 60:.1f} minutes, the bag {self.turns} times: '
                 f'{self.images_played} images played, {counts["images_received"]} reached the '
                 f'node while active, {counts["images_replaced"]} were replaced by a newer one, '
                 f'{counts["images_rejected"]} refused, {self.depths_received} depths received',
                 f'{self.restarts} restarts, {self.visits} visits']
        for name, latency in (('latency', self.latency),
                              ('with restarts', self.latency_with_restarts)):
            if latency is not None:
                lines.append(f'{name}: median {latency.median_ms:.0f} ms, 95 % '
                             f'{latency.p95_ms:.0f} ms, 99 % {latency.p99_ms:.0f} ms')
        lines += [f'{name} {row["count"]:.0f} times: median {row["median_s"]:.2f} s, longest '
                  f'{row["longest_s"]:.2f} s' for name, row in self.transitions.items()]
        lines += [criterion.line() for criterion in self.criteria]
        return '\n'.join([*lines, *([f'ended early: {self.trouble}'] if self.trouble else []),
                          'it lasted' if self.passed else 'it did not last'])


def judge(observed: Observed) -> SoakReport:
    """
    Judge a run.

    :param observed: what was seen.
    :return: the report.
    """
    published_ns, all_ms = latencies_ms(observed.played, observed.received)
    calm = _latency(all_ms[settled(observed, published_ns)])
    first_depths = [observed.first_depth_s,
                    *(wait for restart in observed.restarts for wait in restart.first_depth_s)]
    memory = [sample for sample in observed.memory
              if observed.began_ns <= sample.time_ns <= observed.ended_ns]
    criteria = [
        _memory(memory, 1e-9 * (observed.ended_ns - observed.began_ns)),
        Criterion('missed transitions', len(observed.missed), 0,
                  ', '.join(observed.missed) or f'of {len(observed.transitions)}'),
        Criterion('latency 99 % / median', calm and calm.p99_ms / calm.median_ms, P99_LIMIT,
                  'outside restarts and the 5 s after them'),
        Criterion('activations without depth', first_depths.count(None), 0,
                  f'of {len(first_depths)}'),
        Criterion('longest pause [s]', longest_pause_s(observed), PAUSE_LIMIT_S,
                  'between depths, outside restarts'),
        Criterion('visitors without a topic', sum(
            visit.all_heard_s is None for visit in observed.visits), 0,
            f'of {len(observed.visits)} that came'),
        Criterion('exit status', abs(observed.exit_status), 0, f'{observed.exit_status}'),
    ]
    return SoakReport(
        passed=not observed.trouble and all(criterion.holds for criterion in criteria),
        trouble=observed.trouble, criteria=criteria,
        seconds=1e-9 * (observed.ended_ns - observed.began_ns), turns=observed.turns,
        images_played=len(observed.played), depths_received=len(observed.received),
        counts=observed.counts, latency=calm, latency_with_restarts=_latency(all_ms),
        restarts=len(observed.restarts), first_depth_s=first_depths,
        transitions=_transitions(observed), visits=len(observed.visits),
        memory_mb=[(round(1e-9 * (sample.time_ns - observed.began_ns), 1),
                    round(sample.resident_mb, 1)) for sample in memory],
        exit_status=observed.exit_status)


def _memory(samples: Sequence[MemorySample], seconds: float) -> Criterion:
    """Compare the end of the run with its beginning, once it is warm."""
    name = 'growth of memory'
    if seconds < MEMORY_RUN_S:
        return Criterion(name, None, GROWTH_LIMIT, f'needs a run of {MEMORY_RUN_S / 60:g} minutes')
    tenths = np.array_split([sample.resident_mb for sample in samples], 10)
    second, last = float(np.median(tenths[1])), float(np.median(tenths[-1]))
    return Criterion(name, last / second - 1, GROWTH_LIMIT,
                     f'median {second:.0f} MB in the second tenth of the run, {last:.0f} MB in '
                     'the last')


def _latency(values_ms: np.ndarray) -> Latency | None:
    """Summarise; None where there is nothing."""
    if not len(values_ms):
        return None
    median, p95, p99 = np.percentile(values_ms, (50, 95, 99))
    return Latency(len(values_ms), float(median), float(p95), float(p99))


def _transitions(observed: Observed) -> dict[str, dict[str, float]]:
    """Summarise by kind, in the order of their first time."""
    seconds: dict[str, list[float]] = {}
    for done in observed.transitions:
        seconds.setdefault(done.transition, []).append(done.seconds)
    return {name: {'count': len(times), 'median_s': float(np.median(times)),
                   'longest_s': max(times)} for name, times in seconds.items()}
