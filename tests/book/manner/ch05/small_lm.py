import sys
sys.path.append('..')
import matplotlib.pyplot as plt
from common.optimizer import SGD
from common.time_layers import *
from common.trainer import RnnlmTrainer
from dataset import ptb
from simple_rnnlm import SimpleRnnlm

corpus, word_to_id, id_to_word = ptb.load_data('train')
corpus = corpus[:400]
vocab_size = int(max(corpus) + 1)
xs, ts = corpus[:-1], corpus[1:]

trainer = RnnlmTrainer(SimpleRnnlm(vocab_size, 8, 12), SGD(0.5))
trainer.fit(xs, ts, 6, 4, 5)
trainer.plot()
print('perplexity', trainer.ppl_list[0], trainer.ppl_list[-1])


class MyRnnlm:
    def __init__(self, V, D, H):
        rn = lambda *shape: np.array(np.random.randn(*shape) / 4).astype('f')
        self.layers = [
            TimeEmbedding(rn(V, D)),
            TimeRNN(rn(D, H), rn(H, H), np.zeros(H).astype('f'), stateful=True),
            Simple_TimeAffine(rn(H, V), np.zeros(V).astype('f')),
        ]
        self.loss_layer = Simple_TimeSoftmaxWithLoss()
        self.params, self.grads = [], []
        for layer in self.layers:
            self.params += layer.params
            self.grads += layer.grads

    def forward(self, xs, ts):
        for layer in self.layers:
            xs = layer.forward(xs)
        return self.loss_layer.forward(xs, ts)

    def backward(self, dout=1):
        dout = self.loss_layer.backward(dout)
        for layer in reversed(self.layers):
            dout = layer.backward(dout)

    def reset_state(self):
        self.layers[1].reset_state()


mine = RnnlmTrainer(MyRnnlm(vocab_size, 8, 12), SGD(0.5))
mine.fit(xs, ts, 6, 4, 5, max_grad=1.0)
assert mine.ppl_list[-1] < mine.ppl_list[0]

# one time step, forward and back
x, h = np.ones((2, 3)), np.zeros((2, 4))
rnn = RNN(np.ones((3, 4)) / 10, np.ones((4, 4)) / 10, np.zeros(4))
h = rnn.forward(x, h)
dx, dh_prev = rnn.backward(np.ones((2, 4)))
assert dx.shape == (2, 3) and dh_prev.shape == (2, 4)
plt.plot(range(len(mine.ppl_list)), mine.ppl_list)
plt.show()
