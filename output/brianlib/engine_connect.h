// Synapses drawn by rules, on all threads. What a cell draws depends on the seed, the call of
// `connect` and its index only, so the result is the same for every number of threads.
#ifndef BIOMOD_ENGINE_CONNECT_H
#define BIOMOD_ENGINE_CONNECT_H

#include <cstdint>
#include <string>
#include <vector>

#include "brianlib/engine_random.h"

namespace engine {

// The random numbers of one cell, one after the other; drawn some at a time, on vectors.
class Sequence {
    static const int BATCH = 16, NUMBERS = 2 * BATCH;
    alignas(64) double numbers[NUMBERS], logarithms[NUMBERS];
    const uint32_t object, cell;
    uint32_t drawn = 0;
    int number = NUMBERS, logarithm = NUMBERS;  // the next of each

    void draw(double* uniform);
    void draw_logarithms();

public:
    Sequence(uint32_t object, int64_t cell) : object(object), cell((uint32_t)cell) {}

    double uniform() {  // in (0, 1)
        if (number == NUMBERS) {
            draw(numbers);
            number = 0;
        }
        return numbers[number++];
    }
    double log_uniform() {  // the logarithm of another one
        if (logarithm == NUMBERS) draw_logarithms();
        return logarithms[logarithm++];
    }
    double normal() {
        const double u = uniform();
        return std::sqrt(-2.0 * log_(u)) * cos_turn(uniform());
    }
};

// Synapses in the order in which they are made.
struct Pairs {
    std::vector<int32_t> pre, post;
    std::string error;
    void add(int32_t i, int32_t j, int64_t times) {
        for (int64_t k = 0; k < times; k++) {
            pre.push_back(i);
            post.push_back(j);
        }
    }
};

// Call make(of, cell, pairs) for all cells, and append what it makes in the order of the cells.
void connect(int64_t cells, bool parallel, void (*make)(const void*, int64_t, Pairs&), const void* of,
             std::vector<int32_t>& pre, std::vector<int32_t>& post);
template <typename Make>
static void connect(int64_t cells, bool parallel, const Make& make, std::vector<int32_t>& pre,
                    std::vector<int32_t>& post) {
    const auto call = [](const void* of, int64_t cell, Pairs& pairs) { (*(const Make*)of)(cell, pairs); };
    connect(cells, parallel, call, &make, pre, post);
}

// Count the synapses of each cell from the one with number `first` on.
void count_synapses(const std::vector<int32_t>& of, size_t first, std::vector<int32_t>& counts);

}  // namespace engine

#endif
