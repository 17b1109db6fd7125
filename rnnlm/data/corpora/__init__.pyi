# Written by scripts/write_stubs.py from the names that this package loads lazily.
from rnnlm.data.corpora import made_pairs as made_pairs
from rnnlm.data.corpora import named as named
from rnnlm.data.corpora import story_questions as story_questions
from rnnlm.data.corpora.made_pairs import additions as additions
from rnnlm.data.corpora.made_pairs import dates as dates
from rnnlm.data.corpora.named import Corpus as Corpus
from rnnlm.data.corpora.named import load_corpus as load_corpus
from rnnlm.data.corpora import ptb as ptb
from rnnlm.data.corpora import story as story
from rnnlm.data.corpora.story_questions import right_or_wrong as right_or_wrong
from rnnlm.data.corpora.story_questions import who_is_meant as who_is_meant
