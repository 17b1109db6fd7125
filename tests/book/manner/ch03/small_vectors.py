import sys
sys.path.append('..')
from common.layers import MatMul, SoftmaxWithLoss
from common.np import *
from common.optimizer import Adam
from common.trainer import Trainer, remove_duplicate
from common.util import convert_one_hot, create_contexts_target, preprocess
from simple_cbow import SimpleCBOW
from simple_skip_gram import SimpleSkipGram

corpus, word_to_id, id_to_word = preprocess('You say goodbye and I say hello.')
V, H = len(word_to_id), 5
contexts, target = create_contexts_target(corpus, window_size=1)
assert contexts.shape == (6, 2) and target.shape == (6,)
target = convert_one_hot(target, V)
contexts = convert_one_hot(contexts, V)


class MyCBOW:
    """Two layers with one weight, which both list."""

    def __init__(self):
        W_in = np.array(0.01 * np.random.randn(V, H)).astype('f')
        W_out = np.array(0.01 * np.random.randn(H, V)).astype('f')
        self.in_layers = [MatMul(W_in), MatMul(W_in)]
        self.out_layer, self.loss_layer = MatMul(W_out), SoftmaxWithLoss()
        self.params, self.grads = [], []
        for layer in self.in_layers + [self.out_layer]:
            self.params += layer.params
            self.grads += layer.grads
        self.word_vecs = W_in

    def forward(self, contexts, target):
        h = sum(layer.forward(contexts[:, i]) for i, layer in enumerate(self.in_layers)) * 0.5
        return self.loss_layer.forward(self.out_layer.forward(h), target)

    def backward(self, dout=1):
        da = self.out_layer.backward(self.loss_layer.backward(dout))
        da *= 0.5
        for layer in self.in_layers:
            layer.backward(da)


for model in (MyCBOW(), SimpleCBOW(V, H), SimpleSkipGram(V, H)):
    trainer = Trainer(model, Adam(0.01))
    trainer.fit(contexts, target, 30, 3, eval_interval=None)
    print(type(model).__name__, '%.2f %.2f' % (trainer.loss_list[0], trainer.loss_list[-1]))
    assert model.word_vecs[word_to_id['you']].shape == (H,)

mine = MyCBOW()
mine.forward(np.asarray(contexts), np.asarray(target))
mine.backward()
params, grads = remove_duplicate(mine.params, mine.grads)
assert [p.shape for p in params] == [(V, H), (H, V)]
assert bool(abs(grads[0] - mine.grads[0] - mine.grads[1]).max() < 1e-7)
