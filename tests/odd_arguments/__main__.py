"""python -m tests.odd_arguments --count 5000 --seed 0 [--only TEXT]"""

import argparse
import resource
import sys
from collections import Counter

from tests.odd_arguments import tries
from tests.odd_arguments.table import entries

MEMORY = 8 << 30  # that a call may ask for

parser = argparse.ArgumentParser(description="Tries odd arguments and says what should not be.")
parser.add_argument("--count", type=int, default=5000)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--only", default="", help="entries whose names have this in them")
parser.add_argument("--all", action="store_true", help="every finding in place of one of each kind")
options = parser.parse_args()

resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
found = [one for one in tries(options.count, options.seed, options.only) if one is not None]
seen = Counter()
for one in sorted(found, key=lambda one: (one.entry, one.argument, one.kind)):
    seen[one.kind] += 1
    key = (one.entry, one.argument, one.kind)
    if options.all or not seen[key]:
        print(one)
    seen[key] += 1
kinds = {kind: times for kind, times in seen.items() if isinstance(kind, str)}
print(f"{options.count:,} tries of {len(entries)} functions, {len(found)} findings: {kinds}")
sys.exit(bool(found))
