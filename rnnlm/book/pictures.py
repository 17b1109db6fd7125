"""A backend of matplotlib that shows pictures by writing them to files: for machines without a display.

`show` writes each open figure to `<script>-1.png`, `-2.png` and so on in the current folder, and says so.
"""

import sys
from itertools import count
from pathlib import Path
from typing import Any

from matplotlib._pylab_helpers import Gcf
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas

from rnnlm.drawing import write_figure

__all__ = ["FigureCanvas", "show"]

_numbers: dict[str, Any] = {}  # of the pictures of each script


def show(*_: Any, **__: Any) -> None:
    """Write all open figures, and close them."""
    stem = Path(sys.argv[0]).stem or "picture"
    for manager in Gcf.get_all_fig_managers():
        path = Path(f"{stem}-{next(_numbers.setdefault(stem, count(1)))}.png")
        write_figure(path, manager.canvas.figure)
        print(f"picture: {path}")
    Gcf.destroy_all()
