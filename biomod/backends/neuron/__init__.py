"""NEURON: the same descriptions as sections, generated NMODL and ParallelContext."""
