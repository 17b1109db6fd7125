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

TOGETHER = 1024  # rows decoded at once


class Seq2seq(Stacked):
    """Sequence to sequence: an LSTM encodes a question; another, started from its last hidden state, writes the answer.

    Questions and answers are ids of one vocabulary. Every answer is preceded by the same start word. Sources are those
    of `Encoder` and `Decoder`; sizes, names and initial weights are those of Deep Learning from Scratch 2, chapters 7
    and 8.

    Args:
        vocab_size: V.
        wordvec_size: D.
        hidden_size: H.
        bidirectional: True for a bidirectional encoder, with H / 2 hidden units in each direction.
        options: `seed`, `dtype` and initial weights, as in `ModelConfig`.

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
        self.set_stack(Sequential({"seq2seq": both}, TimeSoftmaxWithLoss(), dtype))
        self.words = self.encoder.takes_ids

    def forward(self, xs: Any, ts: Any, train_flg: bool = True, keep: bool = True) -> Array:
        """Return the mean cross-entropy in nats of the answers `ts` to the questions `xs`.

        Args:
            xs: ids (N, T); or a tuple of them and lengths (N,), the number of valid ids at the start of each row.
            ts: ids (N, T' + 1), the start word first; -1 after the end of shorter answers.
            train_flg: False for an evaluation.
            keep: False if no backward will follow.

        Raises:
            InputError: shapes do not fit each other, or ids or lengths are out of range.
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
            self.reset_state()  # the decoder's state is that of the last questions, maybe of another batch size
            return self.stack.loss((questions, inputs, lengths), answers[:, 1:], train_flg, keep)

    # ------------------------------------------------------------------ answering

    def generate(self, xs: Any, start_id: int, sample_size: int, **options: Any) -> list[int]:
        """Return the answer to one question, ids (1, T) or (T,), as a list of ids; other arguments as in `answers`."""
        question = np.atleast_2d(ids_of("xs", xs, "the ids of a question, (1, T) or (T,)", (1, 2)))
        if len(question) != 1:
            raise InputError(f"generate answers one question, got {question.shape}: answers takes many")
        return self.answers(question, start_id, sample_size, **options)[0].tolist()

    def answers(
        self, xs: Any, start_id: int, sample_size: int, beams: int = 1, stop_id: int | None = None
    ) -> NDArray[np.int64]:
        """Return the answers to questions, ids (N, sample_size) without the start word.

        Args:
            xs: as in `forward`.
            start_id: the start word.
            sample_size: length of the answers.
            beams: beam width; 1 takes the most likely word at each step.
            stop_id: word that ends an answer and fills the rest of its row; None for no such word.

        Raises:
            InputError: as in `forward`, or an argument is out of range.
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
        """Return the share of questions whose whole answer is right; arguments as in `forward` and `answers`."""
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
            self.stack.expect_head().clear_saved_values()  # an earlier loss belongs to another forward
            question = self.encoder.read(questions, lengths)
            self.decoder.begin(question if beams == 1 else question.repeated(beams))
            if beams == 1:
                return greedy_search(self.decoder.next_scores, start, size, stop_id)
            return beam_search(self.decoder.next_scores, reorder, start, size, beams, stop_id)[0][:, 0]

    def _questions(self, xs: Any) -> tuple[Array, Array | None]:
        """Return the checked questions, and their lengths or None."""
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
    """`Seq2seq` whose decoder gets the encoder's last hidden state at every step. Arguments are those of `Seq2seq`."""

    decoder_class = PeekyDecoder


class AttentionSeq2seq(Seq2seq):
    """`Seq2seq` whose decoder attends to all of the encoder's hidden states. Arguments are those of `Seq2seq`."""

    encoder_class = AttentionEncoder
    decoder_class = AttentionDecoder

    @property
    def attention_weights(self) -> NDArray[Any]:
        """Attention weights (T', N, T) of each answer step over the question steps, of the last forward: a copy."""
        return self.decoder.attention.attention_weights
