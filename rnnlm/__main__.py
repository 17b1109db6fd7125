"""`python -m rnnlm` is the command `rnnlm`."""

import sys

from rnnlm.cli.main import main

sys.exit(main())
