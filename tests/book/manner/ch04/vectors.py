import sys
sys.path.append('..')
import pickle
from common import config
from common.np import *
from common.layers import Embedding, SigmoidWithLoss
from common.optimizer import Adam
from common.trainer import Trainer
from common.util import analogy, create_contexts_target, most_similar, normalize, to_cpu, to_gpu
from cbow import CBOW
from ch04.negative_sampling_layer import EmbeddingDot, NegativeSamplingLoss, UnigramSampler
from dataset import ptb
from skip_gram import SkipGram

corpus, word_to_id, id_to_word = ptb.load_data('train')
V = len(word_to_id)
contexts, target = create_contexts_target(corpus, 2)
if config.GPU:
    contexts, target = to_gpu(contexts), to_gpu(target)

W = np.arange(21).reshape(7, 3).astype('f')
dot, idx = EmbeddingDot(W), np.array([0, 3, 1])
assert dot.forward(np.arange(9).reshape(3, 3).astype('f'), idx).tolist() == [5.0, 122.0, 86.0]
assert Embedding(W).forward(idx).tolist() == [[0, 1, 2], [9, 10, 11], [3, 4, 5]]
scores, labels = np.array([0.0, 2.0]), np.array([1, 0])
assert abs(float(SigmoidWithLoss().forward(scores, labels)) - (0.6931 + 2.1269) / 2) < 1e-3
sampler = UnigramSampler(corpus, 0.75, 2)
assert sampler.get_negative_sample(corpus[:5]).shape == (5, 2)
loss = NegativeSamplingLoss(np.zeros((V, 4), 'f'), corpus, power=0.75, sample_size=2)
assert abs(float(loss.forward(np.ones((3, 4), 'f'), np.array([1, 2, 3]))) - 3 * 0.6931) < 1e-3

for model in (CBOW(V, 10, 2, corpus), SkipGram(V, 10, 2, corpus)):
    trainer = Trainer(model, Adam())
    trainer.fit(contexts[:600], target[:600], 2, 100)
    assert trainer.loss_list[-1] < trainer.loss_list[0]

word_vecs = to_cpu(model.word_vecs)
params = {'word_vecs': word_vecs.astype('float16'), 'word_to_id': word_to_id, 'id_to_word': id_to_word}
with open('skipgram_params.pkl', 'wb') as f:
    pickle.dump(params, f, -1)
with open('skipgram_params.pkl', 'rb') as f:
    again = pickle.load(f)
assert again['word_to_id'] == word_to_id and again['word_vecs'].dtype == 'float16'
most_similar('cat', word_to_id, id_to_word, again['word_vecs'], top=2)
analogy('the', 'a', 'cat', word_to_id, id_to_word, again['word_vecs'], top=1, answer='dog')
analogy('the', 'a', 'lion', word_to_id, id_to_word, again['word_vecs'])
assert abs(float((normalize(again['word_vecs'].astype('f'))[3] ** 2).sum()) - 1) < 1e-5
