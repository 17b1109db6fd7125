"""Kneser-Ney smoothing once more, by dictionaries and as the equation stands, one probability at a time."""

from collections import Counter

START = "<s>"


class KneserNey:
    """p(w | h) of lines of words, with the discounts given for each order from 1 on."""

    def __init__(self, lines, vocabulary, order, discounts, cutoffs=()):
        self.vocabulary, self.discounts = vocabulary, discounts
        lines = [[START, *line] for line in lines]
        self.raw = Counter(
            tuple(line[i : i + n]) for line in lines for n in range(1, order + 1) for i in range(len(line) - n + 1)
        )
        before = Counter(ngram[1:] for ngram in self.raw if len(ngram) > 1)
        self.counts = {
            ngram: count if len(ngram) == order or ngram[0] == START else before[ngram]
            for ngram, count in self.raw.items()
            if ngram != (START,)
        }
        limits = [0, *cutoffs] + [cutoffs[-1] if cutoffs else 0] * order
        self.kept = {ngram for ngram in self.counts if self.raw[ngram] > limits[len(ngram) - 1] or len(ngram) == 1}

    def __call__(self, word, context):
        """p(word | context); the context is a tuple of words."""
        return self._p(word, context) if context else self._lowest(word)

    def _p(self, word, context):
        following = {ngram: c for ngram, c in self.counts.items() if ngram[:-1] == context}
        if not following:
            return self(word, context[1:])
        total = sum(following.values())
        left, gone = 0.0, 0.0
        for ngram, count in following.items():
            taken = self._taken(ngram)
            gone += taken
            if ngram[-1] == word:
                left = count - taken
        return left / total + gone / total * self(word, context[1:])

    def _taken(self, ngram):
        """What a count is lowered by: all of it, where the n-gram is left out."""
        count = self.counts[ngram]
        return self.discounts[len(ngram) - 1][min(count, 3) - 1] if ngram in self.kept else count

    def _lowest(self, word):
        words = {ngram: c for ngram, c in self.counts.items() if len(ngram) == 1}
        total = sum(words.values())
        gone = sum(self._taken(ngram) for ngram in words)
        left = words[word,] - self._taken((word,)) if (word,) in words else 0.0
        return left / total + gone / total / len(self.vocabulary)
