// Random numbers from a counter: Philox4x32-10 (Salmon et al. 2011, SC'11, 10.1145/2063384.2063405).
//
// The number that a cell gets is a function of seed, code object, call within the object, cell and
// time step. So it does not depend on the order in which cells are computed, nor by whom. The functions
// fill a buffer for a block of cells; all but the tails of distributions is vectorised.
#ifndef BIOMOD_ENGINE_RANDOM_H
#define BIOMOD_ENGINE_RANDOM_H

#include <algorithm>
#include <vector>

#include "brianlib/engine.h"
#include "brianlib/engine_values.h"

void _engine_seed(uint64_t seed);
void _engine_seed();
void _engine_start();

namespace engine {

extern uint64_t random_key;
extern uint32_t assignments;  // with random numbers, since the seed was set
extern int threads;

struct Word4 { uint32_t a, b, c, d; };

ENGINE_INLINE Word4 philox(Word4 x, uint64_t key) {
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * x.a, p1 = (uint64_t)0xCD9E8D57u * x.c;
        x = {(uint32_t)(p1 >> 32) ^ x.b ^ k0, (uint32_t)p1, (uint32_t)(p0 >> 32) ^ x.d ^ k1,
             (uint32_t)p0};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return x;
}

// Which numbers: of which code object, call and time step.
struct Stream {
    uint32_t object, call, step;
    ENGINE_INLINE Stream make(uint32_t object, uint32_t call, int64_t step) {
        return {object, call, (uint32_t)step};
    }
    // `draw`: how often the cell has drawn in this call.
    Word4 words(int64_t cell, uint32_t draw = 0) const {
        return philox({(uint32_t)cell, step, object, call | draw << 8}, random_key);
    }
};

ENGINE_INLINE double from_bits(uint64_t bits) {
    double x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
}
ENGINE_INLINE uint64_t to_bits(double x) {
    uint64_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
}

// Uniform in (0, 1): odd multiples of 2^-53, so neither end is ever reached.
ENGINE_INLINE double uniform(uint32_t high, uint32_t low) {
    const uint64_t bits = ((uint64_t)high << 32 | low) >> 12;
    return from_bits(bits | 0x3FF0000000000000u) - (1.0 - 0x1p-53);
}

// log(x) for normal x > 0: the logarithm of the mantissa as a series in (m - 1) / (m + 1).
ENGINE_INLINE double log_(double x) {
    const uint64_t bits = to_bits(x);
    double m = from_bits((bits & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u);
    double e = from_bits((bits >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
    const bool upper = m > 1.4142135623730951;
    m = upper ? 0.5 * m : m;
    e = upper ? e + 1.0 : e;
    const double s = (m - 1.0) / (m + 1.0), z = s * s;
    double q = 1.0 / 19;
    q = q * z + 1.0 / 17;
    q = q * z + 1.0 / 15;
    q = q * z + 1.0 / 13;
    q = q * z + 1.0 / 11;
    q = q * z + 1.0 / 9;
    q = q * z + 1.0 / 7;
    q = q * z + 1.0 / 5;
    q = q * z + 1.0 / 3;
    return e * 0x1.62e42fefa39efp-1 + 2.0 * (s + s * z * q);
}

// cos(2 pi u) for 0 <= u <= 1: reduced to a quarter of a turn, then the Taylor series.
ENGINE_INLINE double cos_turn(double u) {
    const double half = u > 0.5 ? 1.0 - u : u;
    const bool back = half > 0.25;
    const double y = 6.283185307179586 * (back ? 0.5 - half : half), z = y * y;
    double q = -1.0 / 51090942171709440000.0 / 22.0;
    q = q * z + 1.0 / 2432902008176640000.0;
    q = q * z - 1.0 / 6402373705728000.0;
    q = q * z + 1.0 / 20922789888000.0;
    q = q * z - 1.0 / 87178291200.0;
    q = q * z + 1.0 / 479001600.0;
    q = q * z - 1.0 / 3628800.0;
    q = q * z + 1.0 / 40320.0;
    q = q * z - 1.0 / 720.0;
    q = q * z + 1.0 / 24.0;
    q = q * z - 0.5;
    q = q * z + 1.0;
    return back ? -q : q;
}

// Standard normal, by Box and Muller.
ENGINE_INLINE double normal(const Word4& w) {
    return std::sqrt(-2.0 * log_(uniform(w.a, w.b))) * cos_turn(uniform(w.c, w.d));
}

// Vectors of 64-bit lanes, each with one 32-bit word; what is above it is not used. Without
// immintrin.h, which takes longer to read than all the rest of the engine.
#if defined(__AVX512F__) || defined(__AVX2__)
#if defined(__AVX512F__)
#define ENGINE_COUNT {0, 1, 2, 3, 4, 5, 6, 7}
typedef uint64_t Lanes __attribute__((vector_size(64)));
#else
#define ENGINE_COUNT {0, 1, 2, 3}
typedef uint64_t Lanes __attribute__((vector_size(32)));
#endif
ENGINE_INLINE Lanes lanes(uint32_t x) { return Lanes{} + (uint64_t)x; }
ENGINE_INLINE Lanes count(uint32_t x) { return lanes(x) + Lanes ENGINE_COUNT; }
ENGINE_INLINE Lanes multiply(Lanes x, Lanes y) {
#if defined(__clang__)
    return (x & 0xFFFFFFFFu) * (y & 0xFFFFFFFFu);
#elif defined(__AVX512F__)
    typedef int Words16 __attribute__((vector_size(64)));
    typedef long long Lanes8 __attribute__((vector_size(64)));
    return (Lanes)__builtin_ia32_pmuludq512_mask((Words16)x, (Words16)y, Lanes8{}, (char)-1);
#else
    typedef int Words8 __attribute__((vector_size(32)));
    return (Lanes)__builtin_ia32_pmuludq256((Words8)x, (Words8)y);
#endif
}
#else
typedef uint64_t Lanes;
ENGINE_INLINE Lanes lanes(uint32_t x) { return x; }
ENGINE_INLINE Lanes count(uint32_t x) { return x; }
ENGINE_INLINE Lanes multiply(Lanes x, Lanes y) { return (uint64_t)(uint32_t)x * (uint32_t)y; }
#endif
ENGINE_INLINE Lanes high(Lanes x) { return x >> 32; }
ENGINE_INLINE Lanes exclusive_or(Lanes x, Lanes y) { return x ^ y; }
ENGINE_INLINE void store(uint64_t* to, Lanes x) { __builtin_memcpy(to, &x, sizeof x); }

static const int HALF = _engine_block / 2;

// The four words of `n` counters from `first` on; arrays of 64-bit lanes, of which the upper half is
// not used. `side` vectors are computed side by side, since each is a chain of operations that wait for
// each other; whole vectors are written.
template <int side = 1>
ENGINE_INLINE void words(uint64_t* a, uint64_t* b, uint64_t* c, uint64_t* d, uint32_t first, int n,
                         Stream stream) {
    const Lanes m0 = lanes(0xD2511F53u), m1 = lanes(0xCD9E8D57u);
    constexpr int width = sizeof(Lanes) / 8;
    for (int k = 0; k < n; k += side * width) {
        Lanes xa[side], xb[side], xc[side], xd[side];
        for (int j = 0; j < side; j++) {
            xa[j] = count(first + k + j * width);
            xb[j] = lanes(stream.step);
            xc[j] = lanes(stream.object);
            xd[j] = lanes(stream.call);
        }
        uint32_t k0 = (uint32_t)random_key, k1 = (uint32_t)(random_key >> 32);
        for (int round = 0; round < 10; round++) {
            for (int j = 0; j < side; j++) {
                const Lanes p0 = multiply(m0, xa[j]), p1 = multiply(m1, xc[j]);
                xa[j] = exclusive_or(exclusive_or(high(p1), xb[j]), lanes(k0));
                xc[j] = exclusive_or(exclusive_or(high(p0), xd[j]), lanes(k1));
                xb[j] = p1;
                xd[j] = p0;
            }
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        for (int j = 0; j < side; j++) {
            const int to = k + j * width;
            store(a + to, xa[j]);
            store(b + to, xb[j]);
            store(c + to, xc[j]);
            store(d + to, xd[j]);
        }
    }
}

// The words of the first `n` pairs of a block. Cells k and k + HALF of a block share a counter: words
// a and b are for the one, c and d for the other.
struct Words {
    alignas(64) uint64_t a[HALF], b[HALF], c[HALF], d[HALF];
    Words(int64_t first, int n, Stream stream) {
        words(a, b, c, d, (uint32_t)(first / 2), n < HALF ? n : HALF, stream);
    }
};

// The words of a block one after the other, for what needs few or an unknown number of them.
class WordSequence {
    static const int BATCH = 8;
    alignas(64) uint64_t batch[4 * BATCH];
    int used = 4 * BATCH;
    uint32_t drawn = 0;
    const uint32_t first;
    const Stream stream;

  public:
    WordSequence(int64_t first, Stream stream) : first((uint32_t)(first / 2)), stream(stream) {}
    uint32_t next() {
        if (used == 4 * BATCH) {
            const Stream part = {stream.object, stream.call | drawn / HALF << 8, stream.step};
            constexpr int vectors = BATCH * 8 / sizeof(Lanes);
            words<(vectors > 2 ? 2 : vectors)>(batch, batch + BATCH, batch + 2 * BATCH,
                                               batch + 3 * BATCH, first + drawn % HALF, BATCH, part);
            drawn += BATCH;
            used = 0;
        }
        return (uint32_t)batch[used++];
    }
};

ENGINE_INLINE double uniform64(uint64_t upper, uint64_t lower) {
    const uint64_t bits = (upper << 32 | (lower & 0xFFFFFFFFu)) >> 12;
    return from_bits(bits | 0x3FF0000000000000u) - (1.0 - 0x1p-53);
}

static inline void uniforms(double* __restrict u, int64_t first, int n, Stream stream) {
    const Words w(first, n, stream);
#pragma omp simd
    for (int k = 0; k < HALF; k++) {
        u[k] = uniform64(w.a[k], w.b[k]);
        u[k + HALF] = uniform64(w.c[k], w.d[k]);
    }
}

template <typename T>
static void fill_uniform(T* __restrict out, int64_t first, int n, Stream stream) {
    alignas(64) double u[_engine_block];
    uniforms(u, first, n, stream);
#pragma omp simd
    for (int k = 0; k < n; k++) out[k] = (T)u[k];
}

// Normal, by Box and Muller: the cosine for one cell of a pair, the sine for the other.
template <typename T>
static void fill_normal(T* __restrict out, int64_t first, int n, Stream stream, double mean = 0,
                        double deviation = 1) {
    alignas(64) double z[_engine_block];
    const Words w(first, n, stream);
#pragma omp simd
    for (int k = 0; k < HALF; k++) {
        const double radius = std::sqrt(-2.0 * log_(uniform64(w.a[k], w.b[k])));
        const double turn = uniform64(w.c[k], w.d[k]);
        z[k] = radius * cos_turn(turn);
        z[k + HALF] = radius * cos_turn(turn < 0.25 ? turn + 0.75 : turn - 0.25);
    }
#pragma omp simd
    for (int k = 0; k < n; k++) out[k] = (T)(mean + deviation * z[k]);
}

// A Poisson number with a mean above 10: transformed rejection (Hörmann 1993, Insurance: Mathematics
// and Economics 12:39, 10.1016/0167-6687(93)90997-4, algorithm PTRS).
static inline double large_poisson(double mean, int64_t cell, Stream stream) {
    const double b = 0.931 + 2.53 * std::sqrt(mean), a = -0.059 + 0.02483 * b;
    const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
    for (uint32_t draw = 1;; draw++) {
        const Word4 w = stream.words(cell, draw);
        const double u = uniform(w.a, w.b) - 0.5, v = uniform(w.c, w.d);
        const double us = 0.5 - std::fabs(u);
        const double k = std::floor((2 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= v_r) return k;
        if (k < 0 || (us < 0.013 && v > us)) continue;
        if (std::log(v * inverse_alpha / (a / (us * us) + b)) <=
            k * std::log(mean) - mean - std::lgamma(k + 1))
            return k;
    }
}

static const double LARGE_MEAN = 10;
// P(k > 60) < 1e-26 at a mean of 10.
static const int MOST_EVENTS = 60;

// Inversion for a whole block: k rises in all cells until the last one is done.
template <typename T>
static void fill_poisson(T* __restrict out, const T* __restrict mean, int64_t first, int n,
                         Stream stream) {
    alignas(64) double u[_engine_block], p[_engine_block], sum[_engine_block];
    uniforms(u, first, n, stream);
#pragma omp simd
    for (int k = 0; k < n; k++) {
        p[k] = exp_(-(double)mean[k]);
        sum[k] = p[k];
        out[k] = 0;
    }
    int large = 0;
    for (int j = 1; j <= MOST_EVENTS; j++) {
        const double inverse = 1.0 / j;
        int above = 0;
#pragma omp simd reduction(+ : above)
        for (int k = 0; k < n; k++) {
            const bool more = u[k] > sum[k];
            out[k] = more ? (T)j : out[k];
            above += more ? 1 : 0;
            p[k] *= mean[k] * inverse;
            sum[k] += p[k];
        }
        if (!above) break;
    }
    for (int k = 0; k < n; k++) large += mean[k] > LARGE_MEAN;
    if (!large) return;
    for (int k = 0; k < n; k++)
        if (mean[k] > LARGE_MEAN) out[k] = (T)large_poisson(mean[k], first + k, stream);
}

// The distribution function of a binomial distribution, as far as it differs from 0 and 1.
class Distribution {
    std::vector<int> first;  // by the leading bits of u: where the search for it begins

  public:
    int lowest = 0;  // the number that below[0] belongs to
    std::vector<double> below;
    Distribution(int64_t trials, double probability) {
        if (probability == 1) {
            lowest = (int)trials;
            below.push_back(1);
        } else {
            fill(trials, probability);
        }
        for (int k = 0, j = 0; k < 256; k++) {
            while (j < last() && below[j] <= k / 256.0) j++;
            first.push_back(j);
        }
    }
    // Its entry is 1 but for rounding: nothing is above it.
    int last() const { return (int)below.size() - 1; }
    int number(double u) const {
        int j = first[(int)(u * 256)];
        while (j < last() && u > below[j]) j++;
        return lowest + j;
    }

  private:
    void fill(int64_t trials, double probability) {
        const double log_none = trials * std::log1p(-probability), mean = trials * probability;
        double p = std::exp(log_none);
        if (log_none < -40) {
            // What is so far below the mean has no weight.
            lowest = (int)std::fmax(
                0, std::floor(mean - 12 * std::sqrt(mean * (1 - probability)) - 10));
            p = std::exp(std::lgamma(trials + 1.0) - std::lgamma(lowest + 1.0) -
                         std::lgamma(trials - lowest + 1.0) + lowest * std::log(probability) +
                         (trials - lowest) * std::log1p(-probability));
        }
        double sum = p;
        const double odds = probability / (1 - probability);
        below.push_back(sum);
        for (int64_t j = lowest + 1; j <= trials && sum < 1; j++) {
            p *= odds * (trials - j + 1) / j;
            if (sum + p == sum && j > mean) break;
            sum += p;
            below.push_back(sum);
        }
    }
};

// Above it, a search for each cell is faster than a comparison of all cells with every entry.
static const int LONG_TABLE = 100;
// Mean above which each cell's number is drawn by itself, and most successes of a block otherwise.
static const double MOST_SPARSE = 0.5;
static const int MOST_FOUND = 1024;

// Numbers of successes in so many trials, or the normal distribution in their place.
struct Binomial {
    const uint32_t trials;
    const bool normal, few;
    const double mean, deviation;
    const Distribution of_cell, of_block;
    Binomial(int64_t trials, double probability, bool normal)
        : trials((uint32_t)trials), normal(normal),
          few(!normal && trials > 0 && trials < 1 << 20 && trials * probability <= MOST_SPARSE),
          mean(trials * probability), deviation(std::sqrt(mean * (1 - probability))),
          of_cell(normal ? 1 : trials, probability),
          of_block(few ? _engine_block * trials : 1, probability) {}
    bool sparse() const { return few && of_block.last() < MOST_FOUND; }
    int number(double u) const { return of_cell.number(u); }
};

// For small means: the number of successes of a whole block, and then which of its trials they are
// (always of a whole block, so that a cell's number does not depend on the size of its group).
template <typename T>
static void fill_binomial_sparse(T* __restrict out, const Binomial& distribution, int64_t first,
                                 Stream stream) {
    std::memset(out, 0, _engine_block * sizeof(T));
    WordSequence sequence(first, stream);
    const uint32_t upper = sequence.next();
    const int total = distribution.of_block.number(uniform(upper, sequence.next()));
    const uint32_t trials = _engine_block * distribution.trials;
    const uint32_t uneven = (0u - trials) % trials;  // the part of the words that is one too many
    uint32_t found[MOST_FOUND];
    static thread_local uint32_t last[_engine_block];  // found in each cell that has one
    for (int n = 0; n < total;) {
        const uint64_t product = (uint64_t)sequence.next() * trials;
        if ((uint32_t)product < uneven) continue;
        const uint32_t trial = (uint32_t)(product >> 32), cell = trial % _engine_block;
        // No trial succeeds twice. (Both conditions are rare, unlike two successes in one cell.)
        const T before = out[cell];
        if ((before > 0) & (last[cell] == trial)) continue;
        if (before > 1 && std::find(found, found + n, trial) != found + n) continue;
        found[n++] = trial;
        last[cell] = trial;
        out[cell] = before + 1;
    }
}

template <typename T>
static void fill_binomial(T* __restrict out, const Binomial& law, int64_t first, int n,
                          Stream stream) {
    if (law.normal) return fill_normal(out, first, n, stream, law.mean, law.deviation);
    if (law.sparse()) return fill_binomial_sparse(out, law, first, stream);
    const Distribution& cell = law.of_cell;
    alignas(64) double u[_engine_block];
    uniforms(u, first, n, stream);
    if (cell.last() > LONG_TABLE) {
        for (int k = 0; k < n; k++) out[k] = (T)law.number(u[k]);
        return;
    }
#pragma omp simd
    for (int k = 0; k < n; k++) out[k] = cell.lowest;
    for (int j = 0; j < cell.last(); j++) {
        const double bound = cell.below[j];
        T above = 0;
#pragma omp simd reduction(+ : above)
        for (int k = 0; k < n; k++) {
            const T more = u[k] > bound ? 1 : 0;
            out[k] += more;
            above += more;
        }
        if (above == 0) return;
    }
}

}  // namespace engine

#endif
