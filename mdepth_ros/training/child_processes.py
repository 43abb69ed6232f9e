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

"""Processes that end with the one that started them, however that ends."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
import multiprocessing
import os
import signal
import threading

import torch


def end_with_parent() -> None:
    """
    End this process when the one that started it is gone, were it by SIGKILL.

    Ctrl-C, which a terminal sends to all, is left to that one. Does nothing in a process that
    multiprocessing did not start.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def ending_children() -> Iterator[None]:
    """End the processes that were started inside, should that be left by an exception."""
    before = multiprocessing.active_children()
    try:
        yield
    except BaseException:
        # Python would wait at its end for processes that know nothing of a Ctrl-C.
        for child in multiprocessing.active_children():
            if child not in before:
                child.kill()
                child.join()
        raise


@contextmanager
def process_pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """
    Open a pool for jobs that each keep a core busy; an exception inside ends them all.

    :param processes: how many at once.
    """
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(processes, context, _begin_job_process) as pool, ending_children():
        yield pool


def _begin_job_process() -> None:
    """Prepare a process: threads that share a core would only wait for each other."""
    end_with_parent()
    torch.set_num_threads(1)
