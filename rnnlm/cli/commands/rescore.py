"""`rnnlm rescore`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

from rnnlm.cli.commands.base import Command
from rnnlm.cli.mixing import Mixing
from rnnlm.data.nbest import Hypothesis, read_nbest, read_references, words_of
from rnnlm.errors import InputError
from rnnlm.files import to_json
from rnnlm.progress import passing_bar

if TYPE_CHECKING:
    from rnnlm.inference.rescoring import Scales

__all__ = ["Rescore"]


@dataclass(frozen=True)
class Rescore(Command):
    """Take the best text of each N-best list of a recogniser, by its own scores and those of a language model:
    acoustic + weight * language + reward * words - penalty * unknown words. Texts are independent of each other.

    The lists are a CSV file with a hypothesis per row, its first row the names of the columns. With --weight the best
    texts are printed: the utterance's name, a tab and the text. With --reference and without --weight, scales with few
    word errors are looked for and printed with the word error rate; with both, the word error rate.

    Examples: rnnlm rescore runs/lm dev.csv --reference dev.txt |
    rnnlm rescore runs/lm test.csv --weight 0.6 --reward 0.5 > test.txt

    Attributes:
        model: folder of a model or of a run, or an ARPA file.
        lists: CSV file of the hypotheses.
        reference: file of the right texts, as Kaldi's file text: a line has the name of an utterance, then its words.
        weight: of the language model's natural log-probability; its texts are scored with <eos>.
        reward: for each word.
        penalty: for each unit that the model does not know.
        utterance_column: the column of the utterance's name.
        acoustic_column: the column of the recogniser's score, a log-probability: the higher, the better.
        text_column: the column of the text.
        mixing: models to mix with it.
        json: print JSON: an object per utterance, or one of figures.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on. If not given: $RNNLM_DEVICE, else cpu.
    """

    model: Annotated[Positional[Path], arg(metavar="MODEL")]
    lists: Annotated[Positional[Path], arg(metavar="LISTS")]
    reference: Path | None = None
    weight: float | None = None
    reward: float = 0.0
    penalty: float = 0.0
    utterance_column: str = "utterance"
    acoustic_column: str = "acoustic"
    text_column: str = "text"
    mixing: Mixing = field(default_factory=Mixing)
    json: bool = False
    device: str | None = None

    def run(self) -> None:
        """Print the texts, or the figures."""
        from rnnlm.inference.rescoring import Scales, rescore

        if self.weight is None and self.reference is None:
            raise InputError("weight must be given, or reference, the right texts by which it is found")
        if self.weight is None and (self.reward or self.penalty):
            raise InputError("reward and penalty are found together with the weight: give all of them, or none")
        scales = None if self.weight is None else Scales(self.weight, self.reward, self.penalty)
        lists = read_nbest(self.lists, self.utterance_column, self.acoustic_column, self.text_column)
        references = None if self.reference is None else read_references(self.reference)
        if references is not None:
            _expect_countable(lists, references)
        model, words = self.mixing.open_mixed(self.model)
        with passing_bar(sum(map(len, lists.values())), "hypotheses") as bar:
            scored = rescore(model, words, lists, bar.update)
        if references is not None:
            self._print_figures(scored, references, scales or Scales.tuned(scored, references), scales is None)
        elif scales is not None:
            self._print_texts(scored, scales)

    def _print_texts(self, lists: Mapping[str, list[Hypothesis]], scales: "Scales") -> None:
        for name, best in scales.best(lists).items():
            if self.json:
                print(to_json({"utterance": name, **asdict(best), "total": scales.total(best)}))
            else:
                print(f"{name}\t{best.text}")

    def _print_figures(
        self, lists: Mapping[str, list[Hypothesis]], references: Mapping[str, str], scales: "Scales", tuned: bool
    ) -> None:
        """Print the word error rates: of the recogniser by itself, rescored, and of the best choices there are."""
        from rnnlm.inference.rescoring import Scales, word_error_rate, word_errors

        def rate(chosen: Mapping[str, Hypothesis]) -> float:
            return word_error_rate({name: one.text for name, one in chosen.items()}, references)

        possible = {
            name: min(some, key=lambda one: word_errors(references[name], one.text)) for name, some in lists.items()
        }
        found: dict[str, Any] = {
            "utterances": len(lists),
            "hypotheses": sum(map(len, lists.values())),
            "words": sum(len(words_of(text)) for text in references.values()),
            "wer_acoustic": rate(Scales(0.0).best(lists)),
            "wer": rate(scales.best(lists)),
            "wer_possible": rate(possible),
            **asdict(scales),
        }
        if self.json:
            print(to_json(found))
            return
        print("{utterances:,} utterances, {hypotheses:,} hypotheses, {words:,} words".format_map(found))
        print(
            "word error rate {wer:.2%}; {wer_acoustic:.2%} by the acoustic scores alone, {wer_possible:.2%} if the "
            "best of each list were taken".format_map(found)
        )
        given = " ".join(f"--{name} {value:.6g}" for name, value in asdict(scales).items() if value or name == "weight")
        print(f"{'found' if tuned else 'with'}: {given}")


def _expect_countable(lists: Mapping[str, list[Hypothesis]], references: Mapping[str, str]) -> None:
    """Check before any scoring that errors can be counted."""
    from rnnlm.inference.rescoring import word_error_rate

    word_error_rate({name: some[0].text for name, some in lists.items()}, references)
