"""NumPy, shared between the cores: what it spells or speeds differently from CuPy."""
