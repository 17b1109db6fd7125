# Written by scripts/write_stubs.py from the names that this package loads lazily.
from rnnlm.saving import model_folder as model_folder
from rnnlm.saving import ngram_files as ngram_files
from rnnlm.saving import torch_weights as torch_weights
from rnnlm.saving.model_folder import load_model as load_model
from rnnlm.saving.model_folder import save_model as save_model
from rnnlm.saving.ngram_files import load_ngram as load_ngram
from rnnlm.saving.ngram_files import save_ngram as save_ngram
from rnnlm.saving.torch_weights import from_torch as from_torch
from rnnlm.saving.torch_weights import to_torch as to_torch
