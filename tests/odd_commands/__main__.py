"""python -m tests.odd_commands --count 3000 --seed 0"""

import argparse
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from tests.odd_commands import tries
from tests.odd_commands.place import furnish

parser = argparse.ArgumentParser(description="Tries odd command lines and says what should not be.")
parser.add_argument("--count", type=int, default=3000)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

warnings.simplefilter("ignore")  # of threads that a copy of this process has not
kinds: Counter[str] = Counter()
with tempfile.TemporaryDirectory() as scratch:
    furnish(Path(scratch))
    for found in tqdm(tries(options.count, options.seed, Path(scratch)), total=options.count, mininterval=5):
        if found is not None:
            kinds[found.kind] += 1
            tqdm.write(str(found))
print(f"{options.count:,} command lines, {sum(kinds.values())} findings: {dict(kinds)}")
sys.exit(bool(kinds))
