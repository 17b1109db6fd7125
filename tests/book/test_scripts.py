"""What a reader of the book would type: only the import lines name this library."""

from pathlib import Path

import numpy as np
import pytest


def test_the_training_loop_of_chapter_5(rng):
    from rnnlm import SGD, SimpleRnnlm

    words = rng.integers(0, 30, 400)
    corpus = np.concatenate([words, words])  # something to learn: the second half repeats the first
    batch_size, time_size = 5, 4
    xs, ts = corpus[:-1], corpus[1:]
    model = SimpleRnnlm(30, 16, 32)
    optimizer = SGD(0.5)
    jump = len(xs) // batch_size
    offsets = [i * jump for i in range(batch_size)]
    time_idx, ppl_list = 0, []
    for _epoch in range(30):
        total_loss = loss_count = 0
        for _ in range(len(xs) // (batch_size * time_size)):
            batch_x = np.empty((batch_size, time_size), dtype="i")
            batch_t = np.empty((batch_size, time_size), dtype="i")
            for t in range(time_size):
                for i, offset in enumerate(offsets):
                    batch_x[i, t] = xs[(offset + time_idx) % len(xs)]
                    batch_t[i, t] = ts[(offset + time_idx) % len(xs)]
                time_idx += 1
            loss = model.forward(batch_x, batch_t)
            model.backward()
            optimizer.update(model.params, model.grads)
            total_loss += loss
            loss_count += 1
        ppl_list.append(float(np.exp(total_loss / loss_count)))
    assert 25 < ppl_list[0] < 35  # nothing known yet: about as many choices as words
    assert ppl_list[-1] < 10


def test_the_trainer_and_the_generator(rng):
    from rnnlm import SGD, RnnlmGen, RnnlmTrainer, SimpleRnnlm, eval_perplexity

    corpus = rng.integers(0, 10, 500)
    model = SimpleRnnlm(10, 8, 12)
    trainer = RnnlmTrainer(model, SGD(lr=1.0))
    trainer.fit(corpus[:-1], corpus[1:], max_epoch=1, batch_size=5, time_size=7, max_grad=0.25, eval_interval=5)
    assert len(trainer.ppl_list) == 3
    model.reset_state()
    assert eval_perplexity(model, corpus, 5, 7) < 20
    writer = RnnlmGen(vocab_size=10, wordvec_size=8, hidden_size=12)
    ids = writer.generate(0, [1, 2])
    assert len(ids) == 100
    assert not {1, 2} & set(ids[1:])


def test_layers_are_built_from_their_weights(rng):
    """The stack of chapter 5, by hand, in one's own array library."""
    from rnnlm import TimeAffine, TimeEmbedding, TimeRNN, TimeSoftmaxWithLoss
    from rnnlm.backend import xp

    V, D, H, rn = 10, 4, 6, rng.standard_normal
    embed_W = xp.asarray((rn((V, D)) / 100).astype("f"))
    rnn_Wx, rnn_Wh = (
        xp.asarray((rn((D, H)) / np.sqrt(D)).astype("f")),
        xp.asarray((rn((H, H)) / np.sqrt(H)).astype("f")),
    )
    affine_W = xp.asarray((rn((H, V)) / np.sqrt(H)).astype("f"))
    layers = [
        TimeEmbedding(embed_W),
        TimeRNN(rnn_Wx, rnn_Wh, xp.zeros(H, "f"), stateful=True),
        TimeAffine(affine_W, xp.zeros(V, "f")),
    ]
    loss_layer = TimeSoftmaxWithLoss()
    params, grads = [], []
    for layer in layers:
        params += layer.params
        grads += layer.grads
    xs = ts = xp.asarray(rng.integers(0, V, (2, 3)))
    for layer in layers:
        xs = layer.forward(xs)
    loss = loss_layer.forward(xs, ts)
    dout = loss_layer.backward(1)
    for layer in reversed(layers):
        dout = layer.backward(dout)
    assert abs(float(loss) - np.log(V)) < 1
    assert [g.shape for g in grads] == [p.shape for p in params]


# ---------------------------------------------------------------------- chapter 6


def test_the_training_script_of_rnnlm(treebank, capsys):
    """Fit, plot, an approximate test perplexity, save."""
    from matplotlib import pyplot

    from rnnlm import SGD, Rnnlm, RnnlmTrainer, eval_perplexity, ptb

    batch_size, wordvec_size, hidden_size, time_size = 4, 10, 12, 5
    lr, max_epoch, max_grad = 20.0, 4, 0.25
    corpus, word_to_id, _id_to_word = ptb.load_data("train")
    corpus_test, _, _ = ptb.load_data("test")
    vocab_size = len(word_to_id)
    xs, ts = corpus[:-1], corpus[1:]
    model = Rnnlm(vocab_size, wordvec_size, hidden_size)
    optimizer = SGD(lr)
    trainer = RnnlmTrainer(model, optimizer)
    trainer.fit(xs, ts, max_epoch, batch_size, time_size, max_grad, eval_interval=20)
    trainer.plot(ylim=(0, 500))
    pyplot.close("all")
    model.reset_state()
    ppl_test = eval_perplexity(model, corpus_test, 4, 5)
    print("test perplexity: ", ppl_test)
    model.save_params()
    assert ppl_test < 3  # ten times the same twelve sentences
    assert Path("Rnnlm.safetensors").is_file()


def test_the_training_script_of_better_rnnlm(treebank):
    """An epoch at a time, the rate divided where valid gets no better, the best one saved."""
    from rnnlm import SGD, BetterRnnlm, RnnlmTrainer, eval_perplexity, ptb

    batch_size, wordvec_size, hidden_size, time_size = 4, 10, 10, 5
    lr, max_epoch, max_grad, dropout = 20.0, 6, 0.25, 0.5
    corpus, word_to_id, _ = ptb.load_data("train")
    corpus_val, _, _ = ptb.load_data("val")
    corpus_test, _, _ = ptb.load_data("test")
    vocab_size = len(word_to_id)
    xs, ts = corpus[:-1], corpus[1:]
    model = BetterRnnlm(vocab_size, wordvec_size, hidden_size, dropout)
    optimizer = SGD(lr)
    trainer = RnnlmTrainer(model, optimizer)
    first, best_ppl = None, float("inf")
    for _epoch in range(max_epoch):
        trainer.fit(xs, ts, max_epoch=1, batch_size=batch_size, time_size=time_size, max_grad=max_grad)
        model.reset_state()
        ppl = eval_perplexity(model, corpus_val, 4, 5)
        first = first or ppl
        if best_ppl > ppl:
            best_ppl = ppl
            model.save_params()
        else:
            lr /= 4.0
            optimizer.lr = lr
        model.reset_state()
    model.load_params()
    assert eval_perplexity(model, corpus_test, 4, 5) == pytest.approx(best_ppl)  # here the same text
    assert best_ppl < first


def test_the_generation_scripts(treebank):
    from rnnlm import BetterRnnlm, BetterRnnlmGen, Rnnlm, RnnlmGen, ptb

    _corpus, word_to_id, id_to_word = ptb.load_data("train")
    vocab_size = len(word_to_id)
    Path("ch06").mkdir()
    Rnnlm(vocab_size, 10, 12).save_params("ch06/Rnnlm.pkl")
    model = RnnlmGen(vocab_size, 10, 12)
    model.load_params("ch06/Rnnlm.pkl")
    start_word = "the"
    start_id = word_to_id[start_word]
    skip_words = ["N", "<unk>"]
    skip_ids = [word_to_id[w] for w in skip_words]
    word_ids = model.generate(start_id, skip_ids)
    txt = " ".join([id_to_word[i] for i in word_ids])
    txt = txt.replace(" <eos>", ".\n")
    assert len(word_ids) == 100
    assert not {"N", "<unk>"} & set(txt.split())

    BetterRnnlm(vocab_size, 10, 10, 0.5).save_params("ch06/BetterRnnlm.pkl")
    model = BetterRnnlmGen(vocab_size, 10, 10)
    model.load_params("ch06/BetterRnnlm.pkl")
    model.reset_state()
    start_words = "the cat sat on"
    start_ids = [word_to_id[w] for w in start_words.split(" ")]
    for x in start_ids[:-1]:
        x = np.array(x).reshape(1, 1)
        model.predict(x)
    word_ids = model.generate(start_ids[-1], skip_ids)
    word_ids = start_ids[:-1] + word_ids
    assert " ".join(id_to_word[i] for i in word_ids[:4]) == start_words
    assert sorted(Path("ch06").iterdir()) == [Path("ch06/BetterRnnlm.safetensors"), Path("ch06/Rnnlm.safetensors")]


def test_optimisers_have_the_books_signatures():
    from rnnlm import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSprop

    assert (SGD(0.1).lr, AdaGrad(0.1).lr) == (0.1, 0.1)
    assert (Momentum(0.1, 0.8).momentum, Nesterov(0.1, 0.8).momentum) == (0.8, 0.8)
    assert (RMSprop(0.1, 0.9).decay_rate, Adam(0.1, 0.8, 0.99).beta2) == (0.9, 0.99)


def test_gated_layers_are_built_from_their_weights(rng):
    from rnnlm import GRU, LSTM, TimeDropout, TimeGRU, TimeLSTM
    from rnnlm.backend import xp

    D, H = 4, 6

    def rn(*shape):
        return xp.asarray(rng.standard_normal(shape).astype("f"))

    xs, h, c = rn(2, 3, D), rn(2, H), rn(2, H)
    lstm = TimeLSTM(rn(D, 4 * H), rn(H, 4 * H), rn(4 * H), stateful=True)
    lstm.set_state(h, c)
    dropout = TimeDropout(0.5)
    dropout.train_flg = False
    assert dropout.forward(lstm.forward(xs)).shape == (2, 3, H)
    gru = TimeGRU(rn(D, 3 * H), rn(H, 3 * H), rn(3 * H), stateful=True)
    gru.set_state(h)
    assert gru.forward(xs).shape == (2, 3, H)
    h_next, c_next = LSTM(*lstm.params).forward(xs[:, 0], h, c)
    assert h_next.shape == c_next.shape == GRU(*gru.params).forward(xs[:, 0], h).shape == (2, H)


def test_layers_and_arrays_have_the_books_names(rng):
    from rnnlm import BetterRnnlm, Rnnlm, SimpleRnnlm, TimeDropout, TimeLSTM, TimeRNN, to_cpu, to_gpu
    from rnnlm.backend import xp

    simple, rnnlm, better = SimpleRnnlm(9, 4, 5), Rnnlm(9, 4, 5), BetterRnnlm(9, 5, 5)
    assert isinstance(simple.rnn_layer, TimeRNN)
    assert simple.rnn_layer is simple.layers["rnn"]
    assert isinstance(rnnlm.lstm_layer, TimeLSTM)
    assert rnnlm.lstm_layer is rnnlm.layers["lstm"]
    assert [type(layer) for layer in better.lstm_layers] == [TimeLSTM] * 2
    assert [type(layer) for layer in better.drop_layers] == [TimeDropout] * 3
    assert {id(layer) for layer in better.layers.values()} > {
        id(one) for one in better.lstm_layers + better.drop_layers
    }
    a = rng.standard_normal((2, 3))
    there = to_gpu(a)
    assert isinstance(there, xp.ndarray)
    assert to_gpu(there) is there
    np.testing.assert_array_equal(to_cpu(there), a)
    assert to_cpu(a) is a
