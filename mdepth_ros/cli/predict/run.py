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

"""The loop of ``mdepth predict``: images in, outputs written, whatever happens complete."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from mdepth_ros.cli.predict.frame import Predictor
from mdepth_ros.cli.predict.outputs import Output
from mdepth_ros.cli.predict.source import LiveSource
from mdepth_ros.cli.predict.summary import Summary
from mdepth_ros.cli.stop_signals import stop_signals
from mdepth_ros.errors import BadCamera, BadImage
from mdepth_ros.training.prepare.source_image import Rejected, Source
from tqdm import tqdm


@dataclass(frozen=True)
class Selection:
    """Which images: from ``first`` to ``last`` (itself included), every n-th."""

    first: int = 0
    last: int | None = None
    every: int = 1

    def takes(self, number: int) -> bool:
        """Whether an image is taken."""
        return (number >= self.first and not self.ends(number)
                and (number - self.first) % self.every == 0)

    def ends(self, number: int) -> bool:
        """Whether neither this image nor any later one is taken."""
        return self.last is not None and number > self.last

    def count(self, images: int | None) -> int | None:
        """How many of so many images are taken; None where nobody knows."""
        ends = [last for last in (self.last, None if images is None else images - 1)
                if last is not None]
        return len(range(self.first, min(ends) + 1, self.every)) if ends else None


def predict(source: Source, selection: Selection, predictor: Predictor,
            outputs: Sequence[Output], summary: Summary) -> None:
    """
    Predict a source's images; those that cannot be used are counted and left out.

    :param source: the images.
    :param selection: which of them.
    :param predictor: the model.
    :param outputs: what is written; closed when this returns or raises.
    :param summary: told about each frame, and at the end what there is.
    :raises MdepthError: if the source or the disk gives up.
    :raises KeyboardInterrupt: by Ctrl-C or SIGTERM, once the frame in work is finished; a live
        camera ends by these.
    """
    def finish(output: Output) -> None:
        if (there_is := output.close()) is not None:
            summary.keep(there_is)

    with stop_signals() as stopped:
        with ExitStack() as closing, tqdm(total=selection.count(source.count or None),
                                          unit=' frames', leave=False, desc=source.name) as bar:
            for output in reversed(outputs):
                closing.callback(finish, output)
            for number, image in enumerate(source.images()):
                if stopped() or selection.ends(number):
                    break
                if not selection.takes(number):
                    continue
                try:
                    if isinstance(image, Rejected):
                        raise image
                    frame = predictor(number, image)
                except (Rejected, BadImage, BadCamera) as error:
                    summary.refuse(number, error)
                else:
                    for output in outputs:
                        output.write(frame)
                    summary.add(frame)
                bar.update()
        if stopped() and not isinstance(source, LiveSource):  # a camera has no other end
            raise KeyboardInterrupt
        summary.complete = True
