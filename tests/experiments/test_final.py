"""What is told of a model once it is trained."""

import numpy as np

from rnnlm import SimpleRnnlm, Vocabulary
from rnnlm.experiments.corpus import Texts
from rnnlm.experiments.final import final_evaluation
from rnnlm.experiments.results import METRICS, Results
from rnnlm.experiments.settings import TrainConfig
from tests.cli.runs import rows


def test_the_floor_beside_a_perplexity_is_that_of_the_same_part(tmp_path, capsys):
    words, ids = Vocabulary(["a", "b", "<eos>"]), np.arange(30) % 3
    results = Results.new(tmp_path / "out", "text")
    corpus = Texts(ids, ids, ids, words, {"train": 1.5, "valid": 2.0, "test": 2.5})
    final_evaluation(TrainConfig(corpus="text"), SimpleRnnlm(3, 2, 2), corpus, results)
    results.close()
    final = {row["part"]: row for row in rows(tmp_path / "out" / METRICS)}
    assert {part: row["floor"] for part, row in final.items()} == {"valid": 2.0, "test": 2.5}
    shown = capsys.readouterr().out
    for part, floor in (("valid", 2.0), ("test", 2.5)):
        above = final[part]["nats"] - np.log(floor)
        said = f"no model gets below {floor:.4f} on the {part} part; this one is {above:.4f} nats above that"
        assert said in shown
