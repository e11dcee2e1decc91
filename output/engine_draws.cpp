// Values that are set once; see the header.
#include "brianlib/engine_draws.h"
#include "brianlib/engine_phase.h"

namespace engine {

// Cells below which it is not worth waking another thread, and parts for each of them.
static const int64_t LEAST_CELLS = 4096;
static const int PARTS = 8;

void fill_uniform(double* out, int64_t first, int n, Stream stream) {
    fill_uniform<double>(out, first, n, stream);
}
void fill_normal(double* out, int64_t first, int n, Stream stream) {
    fill_normal<double>(out, first, n, stream);
}
void fill_poisson(double* out, double* mean, int64_t first, int n, Stream stream) {
    fill_poisson<double>(out, mean, first, n, stream);
}

struct Blocks {
    int64_t n, parts;
    void (*work)(const void*, int64_t, int);
    const void* of;
    void run(int64_t part) const {
        const int64_t all = (n + _engine_block - 1) / _engine_block;
        for (int64_t k = all * part / parts; k < all * (part + 1) / parts; k++) {
            const int64_t first = k * _engine_block;
            work(of, first, (int)std::min<int64_t>(_engine_block, n - first));
        }
    }
};

void in_blocks(int64_t n, bool any_order, void (*work)(const void*, int64_t, int), const void* of) {
    const bool divided = any_order && threads > 1 && n >= LEAST_CELLS;
    Blocks blocks{n, divided ? threads * PARTS : 1, work, of};
    if (!divided) return blocks.run(0);
    std::vector<uint32_t> until;
    for (int k = 1; k <= threads; k++) until.push_back(k * PARTS);
    share_out(until, [](void* all, size_t part) { ((Blocks*)all)->run(part); }, &blocks);
}

}  // namespace engine
