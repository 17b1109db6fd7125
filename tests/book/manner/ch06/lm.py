import sys
sys.path.append('..')
from common.base_model import BaseModel
from common.optimizer import SGD
from common.time_layers import *
from common.trainer import RnnlmTrainer
from common.util import clip_grads, eval_perplexity
from better_rnnlm import BetterRnnlm
from dataset import ptb
from rnnlm import Rnnlm

corpus, word_to_id, id_to_word = ptb.load_data('train')
corpus_test, _, _ = ptb.load_data('test')
V = len(word_to_id)

model = Rnnlm(V, 10, 12)
trainer = RnnlmTrainer(model, SGD(5.0))
trainer.fit(corpus[:-1], corpus[1:], 2, 4, 5, 0.25, eval_interval=20)
trainer.plot(ylim=(0, 50))
model.reset_state()
before = eval_perplexity(model, corpus_test, 4, 5)
model.save_params()
again = Rnnlm(V, 10, 12)
again.load_params()
print('perplexity', before, eval_perplexity(again, corpus_test, 4, 5))

better = BetterRnnlm(V, 10, 10, 0.5)
RnnlmTrainer(better, SGD(1.0)).fit(corpus[:200], corpus[1:201], 1, 4, 5, 0.25)
better.reset_state()
better.save_params('BetterRnnlm.pkl')
other = BetterRnnlm(V, 10, 10, 0.5)
other.load_params('BetterRnnlm.pkl')


class MyRnnlm(BaseModel):
    """Tied weights, a GRU and dropout, in the book's manner."""

    def __init__(self, V, D):
        rn = lambda *shape: np.array(np.random.randn(*shape) / 4).astype('f')
        E = rn(V, D)
        self.drop = TimeDropout(0.2)
        self.gru = TimeGRU(rn(D, 3 * D), rn(D, 3 * D), np.zeros(3 * D).astype('f'), stateful=True)
        self.layers = [TimeEmbedding(E), self.drop, self.gru, TimeAffine(E.T, np.zeros(V).astype('f'))]
        self.loss_layer = TimeSoftmaxWithLoss()
        self.params, self.grads = [], []
        for layer in self.layers:
            self.params += layer.params
            self.grads += layer.grads

    def forward(self, xs, ts, train_flg=True):
        self.drop.train_flg = train_flg
        for layer in self.layers:
            xs = layer.forward(xs)
        return self.loss_layer.forward(xs, ts)

    def backward(self, dout=1):
        dout = self.loss_layer.backward(dout)
        for layer in reversed(self.layers):
            dout = layer.backward(dout)

    def reset_state(self):
        self.gru.reset_state()


mine = MyRnnlm(V, 10)
trainer = RnnlmTrainer(mine, SGD(1.0))
trainer.fit(corpus[:400], corpus[1:401], 4, 4, 5, 0.5, eval_interval=None)
mine.reset_state()
print('mine', trainer.ppl_list[0], trainer.ppl_list[-1], eval_perplexity(mine, corpus_test, 4, 5))
mine.save_params('mine.pkl')
mine.load_params('mine.pkl')

grads = [np.ones((3, 3)) * 10, np.ones(2)]
clip_grads(grads, 5.0)
assert abs(float(sum((g ** 2).sum() for g in grads)) - 25) < 1e-2

x, h, c = np.ones((2, 3)), np.zeros((2, 4)), np.zeros((2, 4))
lstm = LSTM(np.ones((3, 16)) / 10, np.ones((4, 16)) / 10, np.zeros(16))
h_next, c_next = lstm.forward(x, h, c)
dx, dh, dc = lstm.backward(np.ones((2, 4)), np.zeros((2, 4)))
gru = GRU(np.ones((3, 12)) / 10, np.ones((4, 12)) / 10, np.zeros(12))
assert gru.forward(x, h).shape == h_next.shape == dh.shape == (2, 4)
