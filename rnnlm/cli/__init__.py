"""The command line. Only this folder knows tyro."""
