"""Libraries written in the language of :mod:`biomod.model`, and the theory that goes with them."""
