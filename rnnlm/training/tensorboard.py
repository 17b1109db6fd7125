"""Log of a training for TensorBoard."""

import os
from time import time
from typing import TYPE_CHECKING, Any

from rnnlm.checks import path_of
from rnnlm.errors import MissingExtra
from rnnlm.files import make_folder
from rnnlm.training.callbacks import Callback

if TYPE_CHECKING:
    from rnnlm.training.report import EpochReport, Report

__all__ = ["LOG", "TensorBoard", "expect_tensorboard"]

LOG = "tensorboard"  # folder of a run


class TensorBoard(Callback):
    """Writes a training's figures for TensorBoard (`tensorboard --logdir FOLDER`); needs the extra `tensorboard`.

    After each epoch: `perplexity/train` (`loss/train` for networks on samples), the same for the validation set as
    `.../valid`, and `lr`, `grad_norm`, `tokens_per_second` and `epoch`. At each report within an epoch:
    `.../within_epoch`. The x axis is the number of steps done.

    A folder holds the log of one training. A resumed training adds a file that makes TensorBoard drop the points of
    earlier files from its first step on, so that no point is drawn twice.

    Args:
        folder: created if needed.

    Raises:
        MissingExtra: tensorboardX is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = path_of("folder", folder)
        expect_tensorboard()
        self._writer: Any = None

    def begin(self, training: Any) -> None:
        """Open a new event file."""
        from tensorboardX.event_file_writer import EventsWriter  # raises its errors: SummaryWriter writes in a thread
        from tensorboardX.proto.event_pb2 import Event, SessionLog

        make_folder(self.folder)
        goes_on, step = any(self.folder.iterdir()), training.next_step
        self._writer = EventsWriter(str(self.folder / "events"), f".{step}.{os.getpid()}")
        if goes_on:  # drop what earlier files have from this step on
            start = SessionLog(status=SessionLog.START)
            self._writer.write_event(Event(wall_time=time(), step=step, session_log=start))

    def report(self, report: "Report") -> None:
        """Write the figure of a report within an epoch."""
        self._figure("within_epoch", report, report.loss, report.perplexity)

    def end_epoch(self, report: "EpochReport") -> None:
        """Write the figures of an epoch and flush them to disk."""
        self._figure("train", report, report.loss, report.perplexity)
        self._figure("valid", report, report.valid_loss, report.valid_perplexity)
        rest = {"lr": report.lr, "grad_norm": report.grad_norm, f"{report.unit}_per_second": report.speed}
        for name, value in {**rest, "epoch": report.epoch}.items():
            self._write(name, value, report.step)
        self._writer.flush()

    def end(self, training: Any) -> None:
        """Close the file."""
        self._writer.close()

    def _figure(self, part: str, report: "Report", loss: float | None, perplexity: float | None) -> None:
        value = perplexity if report.figure == "perplexity" else loss
        self._write(f"{report.figure}/{part}", value, report.step)

    def _write(self, name: str, value: float | None, step: int) -> None:
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import scalar

        if value is not None:
            self._writer.write_event(Event(wall_time=time(), step=step, summary=scalar(name, value)))


def expect_tensorboard() -> None:
    """Check that tensorboardX is installed.

    Raises:
        MissingExtra: it is not.
    """
    try:
        import tensorboardX  # noqa: F401
    except ImportError as error:
        raise MissingExtra("a log for TensorBoard", "tensorboard") from error
