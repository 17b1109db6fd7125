"""The folder of checkpoints that belongs to a trainer."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from rnnlm.checks import path_of
from rnnlm.errors import InputError
from rnnlm.files import followed, make_folder
from rnnlm.saving.checkpoint import Checkpoints
from rnnlm.saving.lock import locked
from rnnlm.training.keeper import Keeper
from rnnlm.training.run import Run

__all__ = ["TrainerFolder"]


class TrainerFolder:
    """Knows which folders are the trainer's own, and which of them it has locked.

    Args:
        more: returns what to save besides the run's state.
    """

    def __init__(self, more: Callable[[], Mapping[str, Any]]) -> None:
        self.more = more
        self._folders: set[Path] = set()
        self._locked: Path | None = None

    @contextmanager
    def kept(
        self, run: Run, folder: str | os.PathLike[str] | None, every: str, first: int
    ) -> Iterator[Callable[[], bool] | None]:
        """Lock the folder and save checkpoints; yields the function to call after each step, None without a folder."""
        if folder is None:
            yield None
            return
        checkpoints = self._own(Path(folder))
        make_folder(checkpoints.folder)
        with locked(checkpoints.folder) as held:

            def more() -> Mapping[str, Any]:
                held.expect_held()
                return self.more()

            keeper = Keeper(run, checkpoints, every, more, each_epoch=True, first=first)
            self._locked = checkpoints.folder
            try:
                with keeper.hearing():
                    keeper.save()
                    yield keeper.end_step
                    keeper.save()
            finally:
                self._locked = None

    def save(self, run: Run, folder: str | os.PathLike[str], first: int) -> None:
        """Write a checkpoint; errors are those of `RnnlmTrainer.save`."""
        checkpoints = self._own(path_of("folder", folder))
        make_folder(checkpoints.folder)
        with nullcontext() if self._locked == checkpoints.folder else locked(checkpoints.folder):
            checkpoints.save(first + run.steps, {"training": run.progress(), **self.more()})

    def latest(self, folder: str | os.PathLike[str]) -> tuple[Path, dict[str, Any] | None]:
        """Return a folder's resolved path, and its newest checkpoint or None; errors as of `RnnlmTrainer.resume`."""
        checkpoints = Checkpoints(followed(path_of("folder", folder)))
        with locked(checkpoints.folder) if checkpoints.folder.is_dir() else nullcontext():
            return checkpoints.folder, checkpoints.latest()

    def adopt(self, folder: Path) -> None:
        """Make a folder one of this trainer's own."""
        self._folders.add(folder)

    def _own(self, folder: Path) -> Checkpoints:
        """Return the checkpoints of a folder, and make it one of this trainer's own.

        Raises:
            InputError: it has checkpoints of another training.
        """
        checkpoints = Checkpoints(followed(folder))
        if checkpoints.any() and checkpoints.folder not in self._folders:
            raise InputError(
                f"{folder} must not have checkpoints of another training: go on with it (resume), or take a new one"
            )
        self._folders.add(checkpoints.folder)
        return checkpoints
