// Synapses drawn by rules; see the header.
#include "brianlib/engine_connect.h"
#include "brianlib/engine_phase.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace engine {

// Parts for each thread: some cells may have more to do than others.
static const int64_t PARTS_OF_CELLS = 8;

void Sequence::draw(double* uniform) {
    alignas(64) uint64_t a[BATCH], b[BATCH], c[BATCH], d[BATCH];
    words(a, b, c, d, drawn, BATCH, {object, 0, cell});
    drawn += BATCH;
#pragma omp simd
    for (int k = 0; k < BATCH; k++) {
        uniform[k] = uniform64(a[k], b[k]);
        uniform[k + BATCH] = uniform64(c[k], d[k]);
    }
}

void Sequence::draw_logarithms() {
    alignas(64) double u[NUMBERS];
    draw(u);
#pragma omp simd
    for (int k = 0; k < NUMBERS; k++) logarithms[k] = log_(u[k]);
    logarithm = 0;
}

struct Making {
    int64_t cells;
    void (*make)(const void*, int64_t, Pairs&);
    const void* of;
    std::vector<Pairs> pairs;

    void run(int64_t part) {
        Pairs& made = pairs[part];
        const int64_t number = pairs.size(), first = cells * part / number;
        const int64_t stop = cells * (part + 1) / number;
        for (int64_t cell = first; cell < stop && made.error.empty(); cell++) {
            make(of, cell, made);
            if (cell != first) continue;
            // The others will make about as many.
            const size_t expected = made.pre.size() * (stop - first) * 9 / 8;
            made.pre.reserve(expected);
            made.post.reserve(expected);
        }
    }
};

void connect(int64_t cells, bool parallel, void (*make)(const void*, int64_t, Pairs&), const void* of,
             std::vector<int32_t>& pre, std::vector<int32_t>& post) {
    const int64_t wanted = parallel && threads > 1 ? threads * PARTS_OF_CELLS : 1;
    Making making{cells, make, of, std::vector<Pairs>(std::max<int64_t>(1, std::min(cells, wanted)))};
    const uint32_t number = (uint32_t)making.pairs.size();
    if (number == 1) {
        making.run(0);
    } else {
        std::vector<uint32_t> until;
        for (int k = 1; k <= threads; k++) until.push_back(number * k / threads);
        share_out(until, [](void* all, size_t part) { ((Making*)all)->run(part); }, &making);
    }
    size_t all = pre.size();
    for (const Pairs& pairs : making.pairs) {
        if (!pairs.error.empty()) {
            std::cout << "Error: " << pairs.error << std::endl;
            std::exit(1);
        }
        all += pairs.pre.size();
    }
    if (number == 1 && pre.empty()) {
        pre = std::move(making.pairs[0].pre);
        post = std::move(making.pairs[0].post);
        return;
    }
    if (pre.empty()) {  // else the vectors know best by how much to grow
        pre.reserve(all);
        post.reserve(all);
    }
    for (Pairs& pairs : making.pairs) {
        pre.insert(pre.end(), pairs.pre.begin(), pairs.pre.end());
        post.insert(post.end(), pairs.post.begin(), pairs.post.end());
        pairs = Pairs();
    }
}

void count_synapses(const std::vector<int32_t>& of, size_t first, std::vector<int32_t>& counts) {
    for (size_t k = first; k < of.size(); k++) counts[of[k]]++;
}

}  // namespace engine
