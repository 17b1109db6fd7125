"""The book's switch: with `config.GPU = True` before the first import of its other files, all runs on a GPU."""

GPU = False
