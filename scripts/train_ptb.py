"""Train on Penn Treebank: `rnnlm train`, for those who have the repository before them.

python scripts/train_ptb.py --data-dir DIR
RNNLM_BACKEND=cupy python scripts/train_ptb.py --data-dir DIR
python scripts/train_ptb.py --help
"""

import sys

from rnnlm.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
