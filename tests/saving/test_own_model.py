"""A model of a class of one's own: it comes back as what it is, or is refused."""

from dataclasses import dataclass

import numpy as np
import pytest

from rnnlm import (
    InputError,
    LanguageModel,
    Model,
    ModelConfig,
    ModelFileError,
    SimpleRnnlm,
    TimeAffine,
    TimeAffineWithLoss,
    TimeEmbedding,
    TimeRNN,
    Vocabulary,
    load_model,
    save_model,
)
from rnnlm.book.rnnlm_gen import RnnlmGen
from rnnlm.cli.main import main
from rnnlm.layers.activations import Tanh
from rnnlm.layers.base import Layer
from rnnlm.models.weights import Weights
from rnnlm.saving import own_model
from tests.gradcheck import host

WORDS = Vocabulary(["the", "cat", "<unk>", "<eos>"])
CONFIG = ModelConfig(vocab_size=4, wordvec_size=3, hidden_size=5, seed=3)
IDS = [[0, 1, 2, 3, 1]]


class Mine(Model):
    """The names and shapes of a LanguageModel's weights, and a layer more."""

    between: type[Layer] = Tanh

    def __init__(self, config):
        super().__init__(config)
        embed = TimeEmbedding(Weights(config, 0).embedding())
        rnn = TimeRNN(*Weights(config, 1).recurrent(config.wordvec_size, config.hidden_size), stateful=True)
        affine = TimeAffine(*Weights(config, 2).affine(config.hidden_size))
        self.set_layers({"embed": embed, "rnn": rnn, "between": self.between()}, head=TimeAffineWithLoss(affine))

    @classmethod
    def from_config(cls, config):
        return cls(config)


def test_it_comes_back_as_what_it_is(tmp_path):
    model = Mine(CONFIG)
    assert model.names == LanguageModel(CONFIG).names  # which it came back as
    save_model(tmp_path / "m", model, WORDS)
    again, words = load_model(tmp_path / "m", model_class=Mine)
    assert type(again) is Mine
    assert words.words == WORDS.words
    np.testing.assert_array_equal(host(again.predict(IDS)), host(model.predict(IDS)))


def test_without_its_class_it_is_refused(tmp_path, capsys):
    save_model(tmp_path / "m", Mine(CONFIG), WORDS)
    with pytest.raises(ModelFileError, match=r"own class, Mine: load_model\(folder, model_class=Mine\) reads it"):
        load_model(tmp_path / "m")
    with pytest.raises(ModelFileError, match="must be of model_class SimpleRnnlm, which was asked for, and says Mine"):
        load_model(tmp_path / "m", SimpleRnnlm)
    with pytest.raises(InputError, match="model_class must be a subclass of Model, got 3"):
        load_model(tmp_path / "m", 3)
    assert main(["generate", str(tmp_path / "m")]) == 3
    assert "someone's own class, Mine" in capsys.readouterr().err


def test_the_class_of_a_built_in_model_may_be_told(tmp_path):
    save_model(tmp_path / "m", SimpleRnnlm(4, 3, 5), WORDS)
    assert type(load_model(tmp_path / "m", model_class=SimpleRnnlm)[0]) is SimpleRnnlm
    with pytest.raises(ModelFileError, match="must be of model_class Mine, which was asked for, and says SimpleRnnlm"):
        load_model(tmp_path / "m", model_class=Mine)


def test_the_books_models_are_those_they_are_made_from(tmp_path):
    save_model(tmp_path / "m", RnnlmGen(4, 3, 5), WORDS)
    assert load_model(tmp_path / "m")[0].config.model == "Rnnlm"


@dataclass(frozen=True)
class WithScale(ModelConfig):
    scale: float = 1.0


class Scaled(LanguageModel):
    """With a field more in its configuration."""

    configuration = WithScale

    def predict(self, xs, train_flg=False):
        return super().predict(xs, train_flg) * self.config.scale


def test_a_configuration_of_ones_own(tmp_path):
    model = Scaled(WithScale(vocab_size=4, wordvec_size=3, hidden_size=5, scale=2.0))
    save_model(tmp_path / "m", model, WORDS)
    again, _ = load_model(tmp_path / "m", model_class=Scaled)
    assert again.config == model.config
    np.testing.assert_array_equal(host(again.predict(IDS)), host(model.predict(IDS)))


class NoConfig(Mine):
    def __init__(self, size):
        super().__init__(ModelConfig(vocab_size=size))

    from_config = Model.from_config


class Forgets(Mine):
    """What it was given beside its configuration."""

    def __init__(self, config, scale=1.0):
        super().__init__(config)
        self.scale = scale

    def predict(self, xs, train_flg=False):
        return super().predict(xs, train_flg) * self.scale


class Wider(Mine):
    def __init__(self, config, more=1):
        super().__init__(ModelConfig(vocab_size=4, wordvec_size=3, hidden_size=5 + more))

    @classmethod
    def from_config(cls, config):
        return cls(config, more=0)


REFUSED = [
    (lambda: NoConfig(4), r"NoConfig can't be rebuilt from its config \(.*give NoConfig a classmethod from_config"),
    (lambda: Forgets(CONFIG, 2.0), "Forgets rebuilt from its config gives other scores with the same weights"),
    (lambda: Wider(CONFIG), "Wider rebuilt from its config has other weights"),
    (lambda: type("SimpleRnnlm", (Mine,), {})(CONFIG), "must have another name than rnnlm.SimpleRnnlm"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_one_that_would_come_back_as_another_is_refused(make, message, tmp_path):
    with pytest.raises(InputError, match=message):
        save_model(tmp_path / "m", make(), WORDS)
    assert not (tmp_path / "m").exists()


def test_saving_leaves_its_state_alone(tmp_path):
    model, other = Mine(CONFIG), Mine(CONFIG)
    for one in (model, other):
        one.predict(IDS)
    save_model(tmp_path / "m", model, WORDS)
    assert own_model.is_own(Mine)
    np.testing.assert_array_equal(host(model.predict(IDS)), host(other.predict(IDS)))
