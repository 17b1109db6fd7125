"""A matplotlib backend that writes pictures to files instead of showing them, for machines without a display.

`show` writes each open figure to `<script>-1.png`, `-2.png` and so on in the current folder, and prints the name.
"""

import sys
from itertools import count
from pathlib import Path
from typing import Any

from matplotlib._pylab_helpers import Gcf
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas

from rnnlm.drawing import write_figure

__all__ = ["FigureCanvas", "show"]

_numbers: dict[str, Any] = {}  # counters of each script's pictures


def show(*_: Any, **__: Any) -> None:
    """Write all open figures to files and close them."""
    stem = Path(sys.argv[0]).stem or "picture"
    for manager in Gcf.get_all_fig_managers():
        path = Path(f"{stem}-{next(_numbers.setdefault(stem, count(1)))}.png")
        write_figure(path, manager.canvas.figure)
        print(f"picture: {path}")
    Gcf.destroy_all()
