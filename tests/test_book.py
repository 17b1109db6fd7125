"""What a reader of the book would type: only the import lines name this library."""

import numpy as np


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
