import sys
sys.path.append('..')
import matplotlib.pyplot as plt
import numpy
from attention_layer import Attention, AttentionWeight, TimeAttention, WeightSum
from attention_seq2seq import AttentionDecoder, AttentionEncoder, AttentionSeq2seq
from ch07.seq2seq import Seq2seq
from common.np import np
from common.optimizer import Adam
from common.time_layers import TimeBiLSTM, TimeLSTM, TimeSigmoidWithLoss
from common.trainer import Trainer
from common.util import eval_seq2seq
from dataset import sequence

(x_train, t_train), (x_test, t_test) = sequence.load_data('addition.txt')
char_to_id, id_to_char = sequence.get_vocab()
V = len(char_to_id)

model = AttentionSeq2seq(V, 8, 24)
trainer = Trainer(model, Adam(0.01))
trainer.fit(x_train, t_train, max_epoch=3, batch_size=20, max_grad=5.0)
assert trainer.loss_list[-1] < trainer.loss_list[0]
eval_seq2seq(model, x_test[[0]], t_test[[0]], id_to_char, verbose=True)
model.save_params()
again = AttentionSeq2seq(V, 8, 24)
again.load_params()
assert not isinstance(again, Seq2seq)

again.forward(x_test[[0]], t_test[[0]])
d = numpy.array(again.decoder.attention.attention_weights)
attention_map = d.reshape(d.shape[0], d.shape[2])
assert attention_map.shape == (t_test.shape[1] - 1, x_test.shape[1])
fig, ax = plt.subplots()
ax.pcolor(attention_map, vmin=0.0, vmax=1.0)
plt.show()

# the layers by themselves
N, T, H = 3, 5, 4
hs, h = np.ones((N, T, H)), np.ones((N, H))
a = AttentionWeight().forward(hs, h)
c = WeightSum().forward(hs, a)
attention = Attention()
assert bool(abs(attention.forward(hs, h) - c).max() < 1e-12)
dhs, dh = attention.backward(np.ones((N, H)))
assert dhs.shape == (N, T, H) and attention.attention_weight.shape == (N, T)
assert TimeAttention().forward(hs, np.ones((N, 2, H))).shape == (N, 2, H)

encoder, decoder = AttentionEncoder(V, 8, 24), AttentionDecoder(V, 8, 24)
enc_hs = encoder.forward(np.array(x_test[:2]))
score = decoder.forward(np.array(t_test[:2, :-1]), enc_hs)
encoder.backward(decoder.backward(np.ones_like(score)))
weights = [np.ones(shape) / 10 for shape in ((3, 16), (4, 16), (16,)) * 2]
assert TimeBiLSTM(*weights).forward(np.ones((2, 5, 3))).shape == (2, 5, 8)
assert TimeLSTM(*weights[:3]).forward(np.ones((2, 5, 3))).shape == (2, 5, 4)
loss = TimeSigmoidWithLoss()
assert abs(float(loss.forward(np.zeros((2, 3)), np.ones((2, 3), int))) - 0.6931) < 1e-3
assert loss.backward().shape == (2, 3)
