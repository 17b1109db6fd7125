"""The book's switch: `config.GPU = True` before anything else of it is imported, and all runs on a GPU."""

GPU = False
