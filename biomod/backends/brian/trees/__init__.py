"""Cells of many compartments, which are indices of one neuron group instead of names.

The equations of every compartment are those of one that has each channel, receptor and calcium
pool of the cell, with conductances of zero where there is none. So the program does not grow with
the morphology. The scheme is that of
:func:`~biomod.backends.brian.integration.crank_nicolson`; its implicit half step is solved
along the tree by a function that Brian2 calls once per cell and step.
"""
