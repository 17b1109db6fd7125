"""The NumPy backend, multi-threaded: operations whose names or fast implementations differ from CuPy's."""
