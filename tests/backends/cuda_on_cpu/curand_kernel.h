// In place of NVIDIA's: a generator for each thread, of another kind.
#pragma once
#include <new>
#include <random>
#include "curand.h"

typedef std::mt19937 curandState;
inline void curand_init(unsigned long long seed, unsigned long long sequence, unsigned long long,
                        curandState* state) {
    std::seed_seq mixed{(unsigned)seed, (unsigned)(seed >> 32), (unsigned)sequence};
    new (state) curandState(mixed);
}
inline unsigned curand_poisson(curandState* state, double mean) {
    return std::poisson_distribution<unsigned>(mean)(*state);
}
