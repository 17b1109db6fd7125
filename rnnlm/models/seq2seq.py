"""Sequence to sequence: an encoder reads a question, a decoder writes the answer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import flag, size, whole_number
from rnnlm.data.ids import ids_of
from rnnlm.errors import InputError
from rnnlm.layers.heads.softmax import TimeSoftmaxWithLoss
from rnnlm.models.attentive import AttentionDecoder, AttentionEncoder
from rnnlm.models.decoder import Decoder, PeekyDecoder
from rnnlm.models.encoder import Encoder
from rnnlm.models.encoder_decoder import EncoderDecoder
from rnnlm.models.ids import checked_ids
from rnnlm.models.search import beam_search, greedy_search
from rnnlm.models.sequential import Sequential
from rnnlm.models.stacked import Stacked

__all__ = ["AttentionSeq2seq", "PeekySeq2seq", "Seq2seq"]

TOGETHER = 1024  # rows that are answered at once


class Seq2seq(Stacked):
    """Answers to questions: an LSTM reads, another one, which begins with its last hidden state, writes.

    Questions and answers are ids of one vocabulary. An answer begins with a word that stands before all of them.
    Sources are those of `Encoder` and `Decoder`; sizes, names and initial weights are those of Deep Learning from
    Scratch 2, chapters 7 and 8.

    Args:
        vocab_size: V.
        wordvec_size: D.
        hidden_size: H.
        bidirectional: the encoder reads back, too, with H / 2 hidden units each way.
        options: `seed`, `dtype` and initial weights, as `ModelConfig` has them.

    Attributes:
        encoder, decoder: the two halves.
    """

    encoder_class: type[Encoder] = Encoder
    decoder_class: type[Decoder] = Decoder

    def __init__(
        self, vocab_size: int, wordvec_size: int, hidden_size: int, bidirectional: bool = False, **options: Any
    ) -> None:
        sizes = vocab_size, wordvec_size, hidden_size
        self.encoder = self.encoder_class(*sizes, bidirectional, **options)
        self.decoder: Any = self.decoder_class(*sizes, **options)
        both, dtype = EncoderDecoder(self.encoder, self.decoder), options.get("dtype", "float32")
        self._stand_on(Sequential({"seq2seq": both}, TimeSoftmaxWithLoss(), dtype))
        self.words = self.encoder.takes_ids

    def forward(self, xs: Any, ts: Any, train_flg: bool = True, keep: bool = True) -> Array:
        """Mean cross-entropy in nats of the answers `ts` to the questions `xs`.

        Args:
            xs: ids (N, T); or a tuple of them and their lengths (N,), in each row the first so many being the question.
            ts: ids (N, T' + 1), the word that begins answers first, or -1 for places after the end of a shorter one.
            train_flg: False for an evaluation.
            keep: False if no backward is to follow.

        Raises:
            InputError: shapes that do not fit each other, ids that are no words, or lengths out of range.
        """
        questions, lengths = self._questions(xs)
        flag("keep", keep)
        answers = checked_ids("ts", ts, self.words, -1)
        if len(answers) != len(questions) or answers.shape[1] < 2:
            raise InputError(
                f"ts must have an answer for each of {len(questions)} questions, (N, T' + 1) with the word that begins "
                f"them first, got {answers.shape}"
            )
        inputs = xp.maximum(answers[:, :-1], 0)
        with self.one_thread:
            self.reset_state()  # the decoder's is of the last questions, of which there may have been another number
            return self.stack.loss((questions, inputs, lengths), answers[:, 1:], train_flg, keep)

    # ------------------------------------------------------------------ answering

    def generate(self, xs: Any, start_id: int, sample_size: int, **options: Any) -> list[int]:
        """The answer to one question, (1, T) or (T,), as a list of ids; all else is as `answers` has it."""
        question = np.atleast_2d(ids_of("xs", xs, "the ids of a question, (1, T) or (T,)", (1, 2)))
        if len(question) != 1:
            raise InputError(f"generate answers one question, got {question.shape}: answers takes many")
        return self.answers(question, start_id, sample_size, **options)[0].tolist()

    def answers(
        self, xs: Any, start_id: int, sample_size: int, beams: int = 1, stop_id: int | None = None
    ) -> NDArray[np.int64]:
        """Answers to questions, (N, sample_size) ids without the word that they begin after.

        Args:
            xs: as of `forward`.
            start_id: the word that begins answers.
            sample_size: length of the answers.
            beams: how many answers are followed side by side; with 1 the most likely word is taken at each step.
            stop_id: an answer ends with this word; what is left of its row is filled with it.

        Raises:
            InputError: as of `forward`, or an argument out of range.
        """
        questions, lengths = self._questions(xs)
        start_id, sample_size = whole_number("start_id", start_id, 0, self.words), size("sample_size", sample_size)
        beams = whole_number("beams", beams, 1, self.words + 1)
        stop_id = None if stop_id is None else whole_number("stop_id", stop_id, 0, self.words)
        found, block = [], max(1, TOGETHER // beams)
        for begin in range(0, len(questions), block):
            rows = slice(begin, begin + block)
            some = questions[rows], None if lengths is None else lengths[rows]
            found.append(self._answered(*some, start_id, sample_size, beams, stop_id))
        return np.concatenate(found)

    def accuracy(self, xs: Any, ts: Any, beams: int = 1) -> float:
        """The share of questions whose answer is right from its first word to its last; arguments as of `forward`."""
        ts = ops.asnumpy(checked_ids("ts", ts, self.words, -1))
        if len({*ts[:, 0].tolist()}) != 1:
            raise InputError("ts must begin with one word, the same for all answers")
        if len(ts) != len(self._questions(xs)[0]) or ts.shape[1] < 2:
            raise InputError(f"ts must have an answer of two words at least for each question of xs, got {ts.shape}")
        said = self.answers(xs, int(ts[0, 0]), ts.shape[1] - 1, beams)
        return float(((said == ts[:, 1:]) | (ts[:, 1:] < 0)).all(axis=1).mean())

    def _answered(
        self, questions: Array, lengths: Array | None, start_id: int, size: int, beams: int, stop_id: int | None
    ) -> NDArray[np.int64]:
        start = np.full(len(questions), start_id, np.int64)
        lstm = self.decoder.lstm

        def reorder(rows: NDArray[np.int64]) -> None:
            order = ops.asarray(rows)
            lstm.set_state(*(array[order] for array in lstm.get_state()))

        with self.one_thread, ops.one_blas_thread:
            self.stack.expect_head()._done()  # a loss before was that of another forward
            question = self.encoder.read(questions, lengths)
            self.decoder.begin(question if beams == 1 else question.repeated(beams))
            if beams == 1:
                return greedy_search(self.decoder.next_scores, start, size, stop_id)
            return beam_search(self.decoder.next_scores, reorder, start, size, beams, stop_id)[0][:, 0]

    def _questions(self, xs: Any) -> tuple[Array, Array | None]:
        """Checked questions, and their lengths or None."""
        if isinstance(xs, tuple) and len(xs) != 2:
            raise InputError(f"xs must be ids (N, T), or a tuple of them and their lengths, got a tuple of {len(xs)}")
        given, lengths = xs if isinstance(xs, tuple) else (xs, None)
        questions = checked_ids("xs", given, self.words)
        if lengths is None:
            return questions, None
        N, T = questions.shape
        if isinstance(lengths, np.ndarray) or not isinstance(lengths, xp.ndarray):
            host = ids_of("lengths", lengths, f"{N} whole numbers in [1, {T}], one for each question")
            if host.shape != (N,) or host.min() < 1 or host.max() > T:
                raise InputError(
                    f"lengths must be {N} whole numbers in [1, {T}], one for each question, got {lengths!r:.80}"
                )
            lengths = ops.asarray(host)
        return questions, lengths


class PeekySeq2seq(Seq2seq):
    """`Seq2seq` whose decoder sees the encoder's last hidden state at every step. Arguments are those of `Seq2seq`."""

    decoder_class = PeekyDecoder


class AttentionSeq2seq(Seq2seq):
    """`Seq2seq` whose decoder looks at all of the encoder's hidden states. Arguments are those of `Seq2seq`."""

    encoder_class = AttentionEncoder
    decoder_class = AttentionDecoder

    @property
    def attention_weights(self) -> NDArray[Any]:
        """How much each step of an answer looked at each of its question, (T', N, T), of the last forward: a copy."""
        return self.decoder.attention.attention_weights
