import sys
sys.path.append('..')
from ch06.rnnlm import Rnnlm
from common.base_model import BaseModel
from common.optimizer import Adam
from common.time_layers import *
from common.trainer import Trainer
from common.util import eval_seq2seq
from dataset import ptb, sequence
from peeky_seq2seq import PeekyDecoder, PeekySeq2seq
from rnnlm_gen import BetterRnnlmGen, RnnlmGen
from seq2seq import Decoder, Encoder, Seq2seq

(x_train, t_train), (x_test, t_test) = sequence.load_data('addition.txt', seed=1984)
char_to_id, id_to_char = sequence.get_vocab()
print(x_train.shape, t_train.shape, x_test.shape, ''.join(id_to_char[c] for c in t_test[0]))
x_train, x_test = x_train[:, ::-1], x_test[:, ::-1]
V = len(char_to_id)


class MySeq2seq(BaseModel):
    """Of the book's halves, put together by hand."""

    def __init__(self, V, D, H):
        self.encoder, self.decoder, self.softmax = Encoder(V, D, H), PeekyDecoder(V, D, H), TimeSoftmaxWithLoss()
        self.params = self.encoder.params + self.decoder.params
        self.grads = self.encoder.grads + self.decoder.grads

    def forward(self, xs, ts):
        h = self.encoder.forward(xs)
        return self.softmax.forward(self.decoder.forward(ts[:, :-1], h), ts[:, 1:])

    def backward(self, dout=1):
        self.encoder.backward(self.decoder.backward(self.softmax.backward(dout)))

    def generate(self, xs, start_id, sample_size):
        h = self.encoder.forward(np.asarray(xs))
        return self.decoder.generate(h, start_id, sample_size)


for model in (Seq2seq(V, 8, 24), PeekySeq2seq(V, 8, 24), MySeq2seq(V, 8, 24)):
    trainer = Trainer(model, Adam(0.01))
    trainer.fit(x_train, t_train, max_epoch=2, batch_size=20, max_grad=5.0)
    right = 0
    for i in range(len(x_test)):
        right += eval_seq2seq(model, x_test[[i]], t_test[[i]], id_to_char, i < 1, True)
    model.save_params()
    print(type(model).__name__, '%.2f %.2f' % (trainer.loss_list[0], trainer.loss_list[-1]), right)
    assert trainer.loss_list[-1] < trainer.loss_list[0]
assert len(Decoder(V, 8, 24).generate(np.zeros((1, 24), 'f'), 0, 4)) == 4

corpus, word_to_id, id_to_word = ptb.load_data('train')
writer = RnnlmGen(len(word_to_id), 10, 12)
writer.load_params('../ch06/Rnnlm.pkl')
assert isinstance(writer, Rnnlm)
skip_ids = [word_to_id[w] for w in ['N', '<unk>']]
ids = writer.generate(word_to_id['the'], skip_ids, 30)
assert len(ids) == 30 and not set(ids[1:]) & set(skip_ids)
state = writer.get_state()
writer.reset_state()
writer.set_state(state)
better = BetterRnnlmGen(len(word_to_id), 10, 10)
better.load_params('../ch06/BetterRnnlm.pkl')
for word in ['the', 'cat']:
    better.predict(np.array(word_to_id[word]).reshape(1, 1))
print(' '.join(id_to_word[i] for i in better.generate(word_to_id['sat'], skip_ids)[:3]))
