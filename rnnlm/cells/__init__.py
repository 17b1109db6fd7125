"""Cells: the elementwise part of one time step, forward and backward. No weights, no matrix products, no time loop."""
