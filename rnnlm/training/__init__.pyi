# Written by scripts/write_stubs.py from the names that this package loads lazily.
from rnnlm.training import callbacks as callbacks
from rnnlm.training import report as report
from rnnlm.training import rnnlm_trainer as rnnlm_trainer
from rnnlm.training import tensorboard as tensorboard
from rnnlm.training import trainer as trainer
from rnnlm.training.callbacks import Callback as Callback
from rnnlm.training.report import EpochReport as EpochReport
from rnnlm.training.report import Report as Report
from rnnlm.training.rnnlm_trainer import RnnlmTrainer as RnnlmTrainer
from rnnlm.training.tensorboard import TensorBoard as TensorBoard
from rnnlm.training.trainer import Trainer as Trainer
