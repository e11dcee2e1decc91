"""Integer-only simulation of a point neuron, compiled once for all neurons.

What a neuron does is data: the matrix of a step, one square, the matrix of a reset. Products of a
coefficient and a state are brought back to the fraction bits of the states, rounded: each before
they are added, or their sum, as an accumulator of twice the width allows. Sums that leave the range
of a state are set to its edge and counted.
"""

from __future__ import annotations

SOURCE = """
#include <cstdint>
typedef __int128 wide;

// Xorshift of Marsaglia 2003, 10.18637/jss.v008.i14, 32 bits.
static inline wide drawn(uint32_t* noise) {
    *noise ^= *noise << 13; *noise ^= *noise >> 17; *noise ^= *noise << 5;
    return *noise;
}
static inline wide shifted(wide product, long by, long rounding, uint32_t* noise) {
    if (rounding == 3) return (product + (drawn(noise) & (((wide)1 << by) - 1))) >> by;
    if (rounding == 0) return (product + ((wide)1 << (by - 1))) >> by;      // to the nearest
    if (rounding == 1) return product >> by;                                // down
    return product < 0 ? -((-product) >> by) : product >> by;               // towards zero
}
static inline int64_t kept(wide sum, int64_t edge, int64_t* saturated) {
    if (sum > edge) { (*saturated)++; return edge; }
    if (sum < -edge) { (*saturated)++; return -edge; }
    return (int64_t)sum;
}

// The sum of products of a row, which is rounded as a whole if `wide_sum`.
struct Row {
    wide sum; long by, rounding, wide_sum; uint32_t* noise;
    void add(int64_t factor, int64_t x) {
        if (!factor) return;
        const wide product = (wide)factor * x;
        sum += wide_sum ? product : shifted(product, by, rounding, noise);
    }
    wide total() { return wide_sum ? shifted(sum, by, rounding, noise) : sum; }
};

// Columns of `step`: the states, the input, the square of the first state; then constants.
extern "C" void integer_run(
    long states, long steps, const int64_t* current, const int64_t* step, const int64_t* constant,
    long by, const int64_t* above, int64_t threshold, const int64_t* reset,
    const int64_t* reset_constant, long reset_by, long fraction, long rounding, long wide_sum,
    long in_turn, long wait, int64_t edge, const int64_t* start, int64_t* count, int32_t* times,
    int64_t* first, int64_t* saturated)
{
    int64_t x[8], y[8];
    for (long i = 0; i < states; i++) x[i] = start[i];
    uint32_t noise = 2463534242u;  // the same for every run
    long left = 0;
    const long columns = states + 2;
    for (long t = 0; t < steps; t++) {
        if (left > 0) { left--; first[t] = x[0]; continue; }
        const int64_t square = (int64_t)shifted((wide)x[0] * x[0], fraction, rounding, &noise);
        for (long i = 0; i < states; i++) y[i] = x[i];
        for (long i = 0; i < states; i++) {
            const int64_t* row = step + i * columns;
            Row sum = {0, by, rounding, wide_sum, &noise};
            for (long j = 0; j < states; j++) sum.add(row[j], y[j]);
            sum.add(row[states], current[t]);
            sum.add(row[states + 1], square);
            x[i] = kept(constant[i] + sum.total(), edge, saturated);
            if (in_turn) y[i] = x[i];
        }
        wide distance = -threshold;
        for (long i = 0; i < states; i++) distance += (wide)above[i] * x[i];
        if (distance >= 0) {
            times[(*count)++] = (int32_t)(t + 1);
            for (long i = 0; i < states; i++) y[i] = x[i];
            for (long i = 0; i < states; i++) {
                Row sum = {0, reset_by, rounding, wide_sum, &noise};
                for (long j = 0; j < states; j++) sum.add(reset[i * states + j], y[j]);
                x[i] = kept(reset_constant[i] + sum.total(), edge, saturated);
            }
            left = wait;
        }
        first[t] = x[0];
    }
}
"""
