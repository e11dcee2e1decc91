"""Brian2 backends: numpy, Cython, C++ standalone and CUDA from one set of generated equations."""
