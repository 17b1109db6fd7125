import sys
sys.path.append('..')
import numpy as np
from common.util import cos_similarity, create_co_matrix, most_similar, ppmi, preprocess
from dataset import ptb

corpus, word_to_id, id_to_word = preprocess('You say goodbye and I say hello.')
print(corpus, id_to_word[0])
C = create_co_matrix(corpus, len(word_to_id), window_size=1)
assert C[word_to_id['say']].tolist() == [1, 0, 1, 0, 1, 1, 0]
print('you and i: %.4f' % cos_similarity(C[word_to_id['you']], C[word_to_id['i']]))
most_similar('you', word_to_id, id_to_word, C, top=3)
most_similar('nobody', word_to_id, id_to_word, C)
W = ppmi(C, verbose=True)
U, S, V = np.linalg.svd(W)
print('ppmi %.3f' % W[0, 1], U.shape)

corpus, word_to_id, id_to_word = ptb.load_data('train')
assert ptb.load_vocab()[0] == word_to_id
assert len(ptb.load_data('val')[0]) == len(ptb.load_data('valid')[0])
W = ppmi(create_co_matrix(corpus, len(word_to_id), 2))
print('words', len(word_to_id), 'tokens', len(corpus), W.shape)
