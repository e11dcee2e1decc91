// Synapses drawn by rules, on all threads. What a cell draws depends on the seed, the call of
// `connect` and its index only, so the result is the same for every number of threads.
#ifndef BIOMOD_ENGINE_CONNECT_H
#define BIOMOD_ENGINE_CONNECT_H

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "brianlib/engine_random.h"

namespace engine {

// The random numbers of one cell, one after the other.
class Sequence {
    const uint32_t object, cell;
    uint32_t drawn = 0;
    Word4 words{0, 0, 0, 0};
    bool second = false;

    Word4 next() { return philox({cell, drawn++, object, 0}, random_key); }

public:
    Sequence(uint32_t object, int64_t cell) : object(object), cell((uint32_t)cell) {}

    // In (0, 1); two from each block of Philox.
    double uniform() {
        second = !second;
        if (!second) return engine::uniform(words.c, words.d);
        words = next();
        return engine::uniform(words.a, words.b);
    }
    double normal() { return engine::normal(next()); }
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

// Call `make(cell, pairs)` for all cells, and append what they make in the order of the cells.
template <typename Make>
static void connect(int64_t cells, bool parallel, const Make& make, std::vector<int32_t>& pre,
                    std::vector<int32_t>& post) {
    // Several parts for a thread, since some cells may have more to do than others.
    const int64_t wanted = parallel ? threads * 8 : 1;
    const int64_t number = std::max<int64_t>(1, std::min(cells, wanted));
    std::vector<Pairs> parts(number);
#pragma omp parallel for schedule(dynamic) if (number > 1 && threads > 1)
    for (int64_t part = 0; part < number; part++) {
        Pairs& pairs = parts[part];
        const int64_t stop = cells * (part + 1) / number;
        for (int64_t cell = cells * part / number; cell < stop && pairs.error.empty(); cell++)
            make(cell, pairs);
    }
    std::vector<size_t> start(1, pre.size());
    for (const Pairs& pairs : parts) {
        if (!pairs.error.empty()) {
            std::cout << "Error: " << pairs.error << std::endl;
            std::exit(1);
        }
        start.push_back(start.back() + pairs.pre.size());
    }
    pre.resize(start.back());
    post.resize(start.back());
#pragma omp parallel for schedule(dynamic) if (number > 1 && threads > 1)
    for (int64_t part = 0; part < number; part++) {
        std::copy(parts[part].pre.begin(), parts[part].pre.end(), pre.begin() + start[part]);
        std::copy(parts[part].post.begin(), parts[part].post.end(), post.begin() + start[part]);
        parts[part] = Pairs();
    }
}

}  // namespace engine

#endif
