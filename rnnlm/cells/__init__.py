"""Cells: the elementwise half of one time step, forward and back. No weights, no matrix products, no time."""
