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

"""One case after another: what each came to, how long it may take, and where it is kept."""

from collections import Counter
from dataclasses import asdict, dataclass
import faulthandler
import json
from pathlib import Path
import random
import resource
import shutil
import signal
import time
import traceback

from mdepth_ros.errors import MdepthError

ROOT = Path(__file__).resolve().parents[2]
# More than this beyond what the process has at its start is refused by the system.
MOST_EXTRA_BYTES = 2**32


class TookTooLongError(BaseException):
    """No handler of the package may take it for an error of its own."""


@dataclass(frozen=True)
class Failure:
    """A case that broke an invariant: ``kind`` is the same for others of the same cause."""

    index: int
    kind: str
    text: str


def run_cases(target, name, seed, indices, work, report):
    """
    Run cases and write a line of JSON after each failure and at the end.

    The case in work is always in ``work/case``, with its number beside it, also when the process
    dies of it; those that fail are kept.
    """
    counts = Counter()
    previous = signal.signal(signal.SIGPROF, _too_long)
    for index in indices:
        folder = work / 'case'
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (work / 'current').write_text(str(index))
        rng = random.Random(f'{name} {seed} {index}')
        # What waits for ever, or hangs in native code, never comes back to Python: then this ends
        # the process. Others may have the cores, so that the clock is allowed far more.
        faulthandler.dump_traceback_later(8 * target.limit_s, exit=True)
        failure = _run(target, rng, folder, index, counts)
        faulthandler.cancel_dump_traceback_later()
        if failure is not None:
            counts['failed'] += 1
            _say(report, asdict(failure))
            kept = work / 'failed' / f'{name}-{seed}-{index}'
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(folder, kept, symlinks=True)
            (kept / 'failure.txt').write_text(failure.text)
    signal.signal(signal.SIGPROF, previous)
    finish = getattr(target, 'finish', None)
    _say(report, {'counts': dict(counts)} | ({'end': finish()} if finish else {}))


def _run(target, rng, folder, index, counts):
    """Run a case; returns its failure, if any."""
    before_bytes, start_s = _peak_bytes(), time.monotonic()
    # Of the processor's time, which does not depend on what else the machine does.
    signal.setitimer(signal.ITIMER_PROF, target.limit_s)
    try:
        outcome = target.run(rng, folder)
        counts[outcome] += 1
    except MdepthError as error:
        counts['refused'] += 1
        if '\n' in str(error):
            return Failure(index, f'{type(error).__name__} of several lines', str(error))
        if len(str(error)) > 20_000:
            return Failure(index, f'{type(error).__name__} of {len(str(error))} letters',
                           str(error)[:2000])
    # Any other error is what is looked for here.
    except (Exception, SystemExit, TookTooLongError) as error:
        return Failure(index, _kind(error), traceback.format_exc())
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    extra = _peak_bytes() - before_bytes
    if extra > target.limit_bytes:
        return Failure(index, 'memory', f'{extra / 2**20:.0f} MB more than ever before')
    counts['slowest_ms'] = max(counts['slowest_ms'], round(1e3 * (time.monotonic() - start_s)))
    return None


def limit_memory():
    """Let what asks for too much fail, so that the machine lives on."""
    size = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (size + MOST_EXTRA_BYTES, hard))


def _say(report, values):
    with report.open('a') as file:
        file.write(json.dumps(values) + '\n')


def _kind(error):
    """Return the type of an error, and the last line of the package that it went through."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename.startswith(str(ROOT))]
    at = f'{Path(ours[-1].filename).name}:{ours[-1].lineno}' if ours else 'nowhere'
    return f'{type(error).__name__} at {at}'


def _peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _too_long(number, frame):
    raise TookTooLongError
