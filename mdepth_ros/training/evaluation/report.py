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

"""An evaluation as a table for a terminal and as JSON."""

from dataclasses import asdict, astuple
from typing import Any

from mdepth_ros.training.evaluation.scores import FrameScore
from mdepth_ros.training.evaluation.summary import Evaluation, Row, Spread

HEADINGS = ('AbsRel', 'SqRel', 'RMSE', 'RMSElog', 'd<1.25', 'd<1.25²', 'd<1.25³')
ROW_TITLES = {'all': 'all frames', 'matched': 'matched frames',
              'moving_objects': 'moving objects', 'static_camera': 'camera stands still'}
NAME_WIDTH, CELL_WIDTH = 23, 9


def text_report(evaluation: Evaluation) -> str:
    """
    Return the numbers as an aligned table, single-frame above multi-frame.

    :param evaluation: the numbers.
    """
    lines = []
    if evaluation.published is None:
        lines.append('no truth: this data holds no depth to compare with, so there are no errors')
    else:
        lines.append(' ' * (NAME_WIDTH + 7) + ''.join(f'{heading:>{CELL_WIDTH}}'
                     for heading in (*HEADINGS, 'frames', 'wins')))
        for name, row in evaluation.rows.items():
            lines += _table_rows(ROW_TITLES[name], row)
        lines += _table_rows('all, unscaled [m]', evaluation.published)
        lines.append('')
    facts = {}
    if 'all' in evaluation.rows:
        row = evaluation.rows['all']
        share = f' ({100 * row.wins / row.matched:.0f} %)' if row.matched else ''
        facts['multi wins'] = (f'{row.wins} of {row.matched} matched frames{share}, '
                               'by AbsRel')
    if evaluation.single_scale is not None and evaluation.multi_scale is not None:
        facts['scale truth/depth'] = (f'single {_spread(evaluation.single_scale)}; '
                                      f'multi {_spread(evaluation.multi_scale)}')
    if evaluation.coverage is not None and evaluation.coverage < 1.0:
        facts['coverage'] = f'{100 * evaluation.coverage:.1f} % of the scored pixels have a depth'
    facts['multi-frame'] = (f'{evaluation.matched} of {evaluation.frames} frames '
                            f'({100 * evaluation.matched / evaluation.frames:.0f} %)')
    facts['latency'] = (f'median {evaluation.latency.median_ms:.0f} ms, '
                        f'95 % {evaluation.latency.p95_ms:.0f} ms')
    lines += [f'{name:<{NAME_WIDTH}}{fact}' for name, fact in facts.items()]
    return '\n'.join(lines)


def json_report(evaluation: Evaluation, per_frame: bool = False) -> dict[str, Any]:
    """
    Return the numbers as plain values.

    ``frames`` counts the frames behind ``single`` and ``multi``, both median-scaled; ``scale`` is
    the multi-frame depth's, which the robot publishes. Without any truth they are 0 and None.

    :param evaluation: the numbers.
    :param per_frame: whether to list every frame, too.
    """
    everything = evaluation.rows.get('all')
    report: dict[str, Any] = {
        'single': None if everything is None else asdict(everything.single),
        'multi': None if everything is None else asdict(everything.multi),
        'scale': _values(evaluation.multi_scale),
        'frames': 0 if everything is None else everything.frames,
        'single_scale': _values(evaluation.single_scale),
        'multi_wins': None if everything is None else _wins(everything),
        'subsets': {name: _subset(row) for name, row in evaluation.rows.items()},
        'as_published': None if evaluation.published is None else _subset(evaluation.published),
        'coverage': evaluation.coverage,
        'frames_run': evaluation.frames,
        'frames_multi': evaluation.matched,
        'latency_ms': {'median': evaluation.latency.median_ms, 'p95': evaluation.latency.p95_ms},
    }
    if per_frame:
        report['per_frame'] = [_frame(frame) for frame in evaluation.per_frame]
    return report


def _table_rows(title: str, row: Row) -> list[str]:
    """Two lines of the table."""
    return [
        f'{name:<{NAME_WIDTH}}{kind:<7}'
        + ''.join(f'{value:{CELL_WIDTH}.3f}' for value in astuple(metrics))
        + tail
        for name, kind, metrics, tail in (
            (title, 'single', row.single, f'{row.frames:{CELL_WIDTH}}'),
            ('', 'multi', row.multi, ' ' * CELL_WIDTH + f'{row.wins:{CELL_WIDTH}}'))
    ]


def _spread(spread: Spread) -> str:
    """Print a mean and its deviation."""
    return (f'{spread.mean:.3f} ± {spread.std:.3f} '
            f'({100 * spread.std / spread.mean:.1f} %)')


def _values(spread: Spread | None) -> dict[str, float | None]:
    """Keep the keys where there is no value."""
    return {'mean': None, 'std': None} if spread is None else asdict(spread)


def _wins(row: Row) -> dict[str, float | None]:
    """Count of wins, of how many frames, and their share."""
    return {'count': row.wins, 'of': row.matched,
            'share': row.wins / row.matched if row.matched else None}


def _subset(row: Row) -> dict[str, Any]:
    """One row as plain values."""
    return {'frames': row.frames, 'single': asdict(row.single), 'multi': asdict(row.multi),
            'multi_wins': _wins(row)}


def _frame(frame: FrameScore) -> dict[str, Any]:
    """One frame as plain values, the means over moving objects left out."""
    values: dict[str, Any] = {
        'sequence': frame.sequence, 'index': frame.index, 'stamp_ns': frame.stamp_ns,
        'mode': frame.mode.value, 'still': frame.still, 'latency_ms': frame.latency_ms}
    if frame.scores is not None:
        values |= {'single': asdict(frame.scores.scaled.single),
                   'multi': asdict(frame.scores.scaled.multi),
                   'single_scale': frame.scores.single_scale,
                   'scale': frame.scores.multi_scale}
    return values
