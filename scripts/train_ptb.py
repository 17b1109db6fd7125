"""Train on Penn Treebank: `rnnlm train --recipe book-lstm`, for those who have the repository before them.

    python scripts/train_ptb.py
    python scripts/train_ptb.py --data-dir DIR --device cuda
    python scripts/train_ptb.py --help

Without Penn Treebank, and without a network to get it from, it trains on the built-in corpus; --corpus ptb insists.
"""

import sys

from rnnlm.cli import train_ptb

if __name__ == "__main__":
    sys.exit(train_ptb(sys.argv[1:]))
