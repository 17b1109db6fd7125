"""Train a seq2seq model on questions and answers, and save its accuracies and pictures."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import ops
from rnnlm.checks import positive, whole_number
from rnnlm.data.corpora.made_pairs import additions, dates
from rnnlm.data.pairs import Pairs, read_pairs
from rnnlm.drawing import or_told
from rnnlm.errors import InputError, Interrupted
from rnnlm.experiments.answer_pictures import save_attention, save_learning
from rnnlm.experiments.results import METRICS, Results
from rnnlm.models.seq2seq import AttentionSeq2seq, PeekySeq2seq, Seq2seq
from rnnlm.optim.adam import Adam
from rnnlm.progress import note, say, unread
from rnnlm.training.trainer import Trainer

__all__ = ["AnswersConfig", "run"]

KINDS: dict[str, type[Seq2seq]] = {"plain": Seq2seq, "peeky": PeekySeq2seq, "attention": AttentionSeq2seq}
SHOWN = 4  # questions to print and to draw the attention of


@dataclass(frozen=True)
class AnswersConfig:
    """Settings of a seq2seq training.

    Attributes:
        data: additions or dates, which are generated; or a UTF-8 file with a "question_answer" on each line.
        model: plain; peeky, which reads the encoder's last state at every step; attention, over all of its states.
        reverse: reverse the questions.
        bidirectional: use a bidirectional encoder.
        lengths: encode each question up to its own length, without its padding.
        wordvec_size: D, length of a character's vector.
        hidden_size: H, hidden units of encoder and decoder.
        lr: learning rate of Adam.
        batch_size: questions of a step.
        max_epoch: number of epochs.
        max_grad: clip the gradient's norm at this.
        beams: beam width for measuring accuracy; 1 for greedy search.
        count: number of questions to generate.
        seed: seed of questions, initial weights and orders.
        out: folder for the results, new or empty. If not given: runs/DATA-MODEL-NNN, counting up.
    """

    data: str = "additions"
    model: Literal["plain", "peeky", "attention"] = "plain"
    reverse: bool = False
    bidirectional: bool = False
    lengths: bool = False
    wordvec_size: int = 16
    hidden_size: int = 128
    lr: float = 0.001
    batch_size: int = 128
    max_epoch: int = 25
    max_grad: float = 5.0
    beams: int = 1
    count: int = 50_000
    seed: int = 0
    out: Path | None = None

    def check(self) -> None:
        """Raise an InputError if a setting is out of range."""
        if self.model not in KINDS:
            raise InputError(f"model must be one of {', '.join(KINDS)}, got {self.model!r}")
        for name in ("batch_size", "max_epoch", "beams"):
            whole_number(name, getattr(self, name), 1)
        whole_number("count", self.count, 10)
        positive("lr", self.lr)
        positive("max_grad", self.max_grad, finite=False)

    def pairs(self) -> Pairs:
        """Return the questions and answers."""
        made = {"additions": additions, "dates": dates}
        return made[self.data](self.count, self.seed) if self.data in made else read_pairs(self.data)

    def inputs(self, pairs: Pairs) -> Any:
        """Return the questions as the model reads them, with their lengths if `lengths` is set."""
        xs = np.take_along_axis(pairs.questions, self.order(pairs), axis=1)
        return (xs, pairs.lengths) if self.lengths else xs

    def order(self, pairs: Pairs) -> NDArray[np.int64]:
        """Return the place of the character that each question reads at each step, (count, T); its own inverse."""
        steps = np.broadcast_to(np.arange(pairs.questions.shape[1]), pairs.questions.shape)
        if not self.reverse:
            return steps
        ends = pairs.lengths[:, None] if self.lengths else np.full((len(steps), 1), steps.shape[1])
        return np.where(steps < ends, ends - 1 - steps, steps)


def run(config: AnswersConfig) -> Path:
    """Train, measure the accuracy after each epoch and draw pictures; returns the folder of results.

    The folder has `settings.json`, `metrics.jsonl`, `timing.jsonl`, the weights and, with matplotlib, `learning.png`
    and for models with attention `attention.png`.

    Raises:
        InputError, DataError: a setting or the data is wrong; nothing is written.
        Interrupted: a signal asked to stop; the message names the folder.
    """
    config.check()
    pairs = config.pairs()
    train, test = pairs.split(config.seed)
    if not len(test.questions):
        raise InputError(
            f"data must have at least 10 questions, to test with a tenth of them, got {len(pairs.questions)}"
        )
    model = KINDS[config.model](
        max(len(pairs.characters), 2), config.wordvec_size, config.hidden_size, config.bidirectional, seed=config.seed
    )
    results = Results.new(config.out, f"{Path(config.data).stem}-{config.model}")
    results.write("settings.json", {**asdict(config), "out": str(results.folder), "backend": ops.describe()})
    say(f"{len(train.questions):,} questions to learn from, {len(test.questions):,} to test with, "
        f"{sum(p.size for p in model.params):,} parameters; results in {results.folder}")  # fmt: skip
    try:
        learn(config, model, train, test, results)
    except KeyboardInterrupt as stop:
        raise Interrupted.of(stop, f"stopped; what there is so far is in {results.folder}") from None
    return results.folder


def learn(config: AnswersConfig, model: Seq2seq, train: Pairs, test: Pairs, results: Results) -> None:
    """Train, measure the accuracy after each epoch, save the weights and the pictures."""
    trainer, started = Trainer(model, Adam(config.lr)), perf_counter()
    rows: list[dict[str, Any]] = []
    for epoch in range(1, config.max_epoch + 1):
        trainer.fit(config.inputs(train), train.answers, 1, config.batch_size, config.max_grad, None, seed=config.seed)
        accuracy = model.accuracy(config.inputs(test), test.answers, config.beams)
        rows.append({"epoch": epoch, "loss": trainer.loss_list[-1], "accuracy": accuracy})
        results.append(METRICS, rows[-1])
        results.append("timing.jsonl", {"epoch": epoch, "seconds": perf_counter() - started})
        say(f"epoch {epoch:3d}  loss {rows[-1]['loss']:.4f}  accuracy {accuracy:.2%}")
    model.save_params(results.folder / "model.safetensors")
    show_answers(config, model, test)
    with or_told():
        save_learning(results.folder / "learning.png", {results.folder.name: rows})
        if isinstance(model, AttentionSeq2seq):
            draw_attention(config, model, test, results.folder / "attention.png")
    if unread():
        note(f"nobody reads standard output any more; the results are in {results.folder}")


def show_answers(config: AnswersConfig, model: Seq2seq, test: Pairs) -> None:
    """Print some questions of the test part with the model's answers."""
    some = first_of(test)
    said = model.answers(config.inputs(some), int(some.answers[0, 0]), some.answers.shape[1] - 1, config.beams)
    for question, answer, given in zip(some.questions, some.answers[:, 1:], said):
        mark = "right" if (answer == given).all() else f"not {test.text(answer).rstrip()}"
        say(f"{test.text(question).rstrip()} -> {test.text(given).rstrip()}  {mark}")


def draw_attention(config: AnswersConfig, model: AttentionSeq2seq, test: Pairs, path: Path) -> None:
    """Draw the attention while the model answers some test questions, with their characters in the usual order."""
    some = first_of(test)
    model.forward(config.inputs(some), some.answers, train_flg=False, keep=False)
    weights = np.take_along_axis(model.attention_weights.swapaxes(0, 1), config.order(some)[:, None], axis=2)
    maps = [(test.text(x), test.text(t[1:]), a) for x, t, a in zip(some.questions, some.answers, weights)]
    save_attention(path, maps)


def first_of(pairs: Pairs) -> Pairs:
    """Return the first four questions."""
    return replace(pairs, questions=pairs.questions[:SHOWN], answers=pairs.answers[:SHOWN])
