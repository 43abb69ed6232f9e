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

"""Every transition in every order, again and again, with and without frames."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
import gc
from itertools import pairwise
from multiprocessing import get_context
import random
import threading
import time

from harness import (
    ACTIVATE,
    CLEANUP,
    CONFIGURE,
    DEACTIVATE,
    Harness,
    STEP,
    wait_for,
)
from lifecycle_msgs.msg import Transition
from mdepth_ros.engine.heaps import limit_heaps
from mdepth_ros.engine.process_memory import resident_mb
from mdepth_ros.ros import depth_node, worker
import numpy as np
import pytest
from std_srvs.srv import Trigger
import torch

NEXT = {
    ('unconfigured', CONFIGURE): 'inactive',
    ('inactive', ACTIVATE): 'active',
    ('inactive', CLEANUP): 'unconfigured',
    ('active', DEACTIVATE): 'inactive',
}
SHUTDOWN = {'unconfigured': Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
            'inactive': Transition.TRANSITION_INACTIVE_SHUTDOWN,
            'active': Transition.TRANSITION_ACTIVE_SHUTDOWN}
WAY = {'unconfigured': (), 'inactive': (CONFIGURE,), 'active': (CONFIGURE, ACTIVATE)}


class Camera30Hz:
    """Sends frames in the background."""

    def __init__(self, harness):
        self._harness = harness
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.wait(1 / 30):
            self._harness.send(time.time_ns())

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join()


def test_random_walk_over_all_transitions_with_frames_flowing(tiny_weights):
    choose = random.Random(3)
    with Harness(tiny_weights, listen=('depth/image',)) as h, Camera30Hz(h):
        state = 'unconfigured'
        for _ in range(60):
            transition = choose.choice((CONFIGURE, ACTIVATE, DEACTIVATE, CLEANUP))
            after = NEXT.get((state, transition))
            assert h.transition(transition) is (after is not None), (state, transition)
            state = after or state
            assert h.state() == state
        for transition in {'active': (), 'inactive': (ACTIVATE,)}.get(
                state, (CONFIGURE, ACTIVATE)):
            assert h.transition(transition)
        assert not h.logs('bug')
        h.forget()
        assert wait_for(lambda: h.received['depth/image'])
        assert not h.logs('bug')


@pytest.mark.parametrize('state', WAY)
def test_shutdown_from_every_state_frees_everything(tiny_weights, state):
    with Harness(tiny_weights, listen=('depth/image',)) as h:
        for transition in WAY[state]:
            assert h.transition(transition)
        if state == 'active':
            h.wait_until_matched()
            assert h.works(STEP)
        assert h.transition(SHUTDOWN[state])
        assert h.state() == 'finalized'
        assert not h.transition(CONFIGURE)
        assert not [t for t in threading.enumerate() if t.name == 'mdepth worker']
        assert h.node._estimator is None


def growth(work, stretches=4):
    """How much memory each stretch of work takes after the first [MB]."""
    resident = []
    for stretch in range(stretches):
        work(stretch)
        gc.collect()
        resident.append(resident_mb())
    return [after - before for before, after in pairwise(resident)]


def grown_over_cycles(weights, cycles=5):
    limit_heaps()
    with Harness(weights, listen=('depth/image',)) as h:
        def work(_):
            for i in range(cycles):
                h.start()
                assert h.works((3 * i + 1) * STEP)
                for transition in (DEACTIVATE, CLEANUP):
                    assert h.transition(transition)
            h.forget()
        return growth(work)


def grown_over_frames(weights, frames=50):
    limit_heaps()
    with Harness(weights, listen=('depth/image', 'depth/points')).start() as h:
        def work(stretch):
            for i in range(1 + stretch * frames, 1 + (stretch + 1) * frames):
                h.send(i * STEP)
                assert h.depth_of(i * STEP) is not None
                h.forget()
        return growth(work)


def in_a_process_of_its_own(measure, *arguments):
    """As the node is: other tests leave threads and heaps behind."""
    with ProcessPoolExecutor(1, get_context('spawn')) as process:
        return process.submit(measure, *arguments).result()


# A leak grows in every stretch; a heap grows once, whenever that is.
@pytest.mark.parametrize(('measure', 'most_mb'), [(grown_over_cycles, 2), (grown_over_frames, 1)])
def test_memory_is_flat(tiny_weights, measure, most_mb):
    grown = in_a_process_of_its_own(measure, tiny_weights)
    assert min(grown) < most_mb, f'{grown} MB'


def given_back_while_it_waits(weights):
    depth_node.TRIM_PERIOD_S = 0.2
    with Harness(weights) as h:
        assert h.transition(CONFIGURE)
        # 200 MB in pieces too small for pages of their own, of which every hundredth stays.
        pieces = [np.ones(12_500) for _ in range(2000)]
        full = resident_mb()
        kept = pieces[::100]
        del pieces
        assert wait_for(lambda: resident_mb() < full - 150)
        return len(kept)


def test_memory_that_is_free_goes_back(tiny_weights):
    assert in_a_process_of_its_own(given_back_while_it_waits, tiny_weights)


def test_deactivated_means_silent_and_activated_starts_afresh(tiny_weights):
    with Harness(tiny_weights, listen=('depth/image',)).start() as h:
        assert h.works(STEP)
        assert h.works(2 * STEP)
        assert h.status()[1]['mode'] == 'multi'
        assert h.transition(DEACTIVATE)
        status, values = h.status()
        assert (values['mode'], values['reason']) == ('waiting', 'the node is not active')
        assert status.level == b'\x00'
        h.forget()
        h.send(3 * STEP)
        assert h.depth_of(3 * STEP, timeout_s=0.3) is None
        assert not h.images.get_subscription_count()
        assert h.transition(ACTIVATE)
        h.wait_until_matched()
        assert h.works(4 * STEP)
        values = h.status()[1]
        assert (values['mode'], values['reason']) == ('single', 'first frame')
        assert (values['images_received'], values['frames_published']) == ('1', '1')


def test_an_unforeseen_error_is_told_and_activating_again_helps(tiny_weights, monkeypatch):
    with Harness(tiny_weights, listen=('depth/image',)).start() as h:
        assert h.works(STEP)
        monkeypatch.setattr(threading, 'excepthook', lambda arguments: None)
        push = h.node._estimator.push

        def fail(frame):
            raise ZeroDivisionError('made by a test')

        h.node._estimator.push = fail
        h.send(2 * STEP)
        assert wait_for(lambda: h.logs('made by a test')), h.logs()
        assert 'the worker failed, which is a bug' in h.logs('made by a test')[0]
        assert 'Traceback' in h.logs('made by a test')[0]
        status, _ = h.status()
        assert status.level == b'\x02'
        assert 'deactivate and activate the node' in status.message
        reset = h.client_call(Trigger, 'mdepth/reset', Trigger.Request())
        assert (reset.success, reset.message) == (
            False, 'the worker failed; deactivate and activate the node')
        h.node._estimator.push = push
        assert h.transition(DEACTIVATE)
        assert h.transition(ACTIVATE)
        h.wait_until_matched()
        assert h.works(3 * STEP)
        assert h.status()[0].level == b'\x00'


@pytest.mark.parametrize(('transition', 'line', 'state'), [
    (DEACTIVATE, 'cannot deactivate: the worker did not stop within 0.2 s', 'unconfigured'),
    (SHUTDOWN['active'], 'the worker did not stop within 0.2 s', 'finalized')])
def test_a_worker_that_does_not_stop_is_told_and_left(
    tiny_weights, monkeypatch, transition, line, state
):
    monkeypatch.setattr(worker, 'STOP_TIMEOUT_S', 0.2)
    with Harness(tiny_weights, listen=('depth/image',)).start() as h:
        at_work, may_end = threading.Event(), threading.Event()
        push = h.node._estimator.push

        def hang(frame):
            at_work.set()
            may_end.wait()
            return push(frame)

        h.node._estimator.push = hang
        h.send(STEP)
        assert at_work.wait(20)
        assert h.transition(transition) is (state == 'finalized')
        assert h.state() == state
        assert wait_for(lambda: h.logs('did not stop'))
        assert h.logs('did not stop') == [line]
        assert h.node._estimator is None
        may_end.set()
        assert wait_for(lambda: not [
            t for t in threading.enumerate() if t.name == 'mdepth worker'])
        assert not h.logs('bug')
        if state == 'unconfigured':
            h.start()
            assert h.works(2 * STEP)


def threads_of_a_new_worker():
    """How many threads PyTorch gives to a thread that starts now; each has its own number."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(torch.get_num_threads).result()


def test_the_backend_that_needs_threads_gets_them_back(tiny_weights):
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with Harness(tiny_weights, listen=(), backend='openvino') as h:
            assert h.transition(CONFIGURE)
            assert threads_of_a_new_worker() == 1
            assert h.transition(CLEANUP)
            assert h.set(backend='torch')[0]
            assert h.transition(CONFIGURE)
            assert threads_of_a_new_worker() == 2
    finally:
        torch.set_num_threads(threads)


def test_an_unforeseen_error_in_configure_is_told(tiny_weights, monkeypatch):
    with Harness(tiny_weights, listen=()) as h:
        def fail():
            raise ZeroDivisionError('made by a test')

        monkeypatch.setattr(h.node, '_configure', fail)
        assert not h.transition(CONFIGURE)
        assert h.state() == 'unconfigured'
        assert wait_for(lambda: h.logs('configure failed, which is a bug'))
        monkeypatch.undo()
        assert h.transition(CONFIGURE)
