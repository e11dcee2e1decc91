// Random numbers of values that are set once, and loops over blocks of cells or synapses on all threads.
#pragma once

#include <cstdint>

#include "brianlib/engine_random.h"

namespace engine {

// Those of engine_random.h, compiled once for all programs.
void fill_uniform(double* out, int64_t first, int n, Stream stream);
void fill_normal(double* out, int64_t first, int n, Stream stream);
void fill_poisson(double* out, double* mean, int64_t first, int n, Stream stream);

// Call work(of, first, size) for blocks of n cells; on all threads, if they may come in any order.
void in_blocks(int64_t n, bool any_order, void (*work)(const void*, int64_t, int), const void* of);
template <typename Work>
void in_blocks(int64_t n, bool any_order, const Work& work) {
    const auto call = [](const void* of, int64_t first, int size) { (*(const Work*)of)(first, size); };
    in_blocks(n, any_order, call, &work);
}

}  // namespace engine
