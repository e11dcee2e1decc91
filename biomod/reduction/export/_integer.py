"""Integer-only simulation of a point neuron, compiled once for all neurons.

What a neuron does is data: the matrix of a step, one square, the matrix of a reset. Every product
of a coefficient and a state is brought back to the fraction bits of the states, rounded, before the
products are added; sums that leave the range of a state are set to its edge and counted.
"""

from __future__ import annotations

SOURCE = """
#include <cstdint>
typedef __int128 wide;

static inline wide shifted(wide product, long by, long rounding) {
    if (rounding == 0) return (product + ((wide)1 << (by - 1))) >> by;      // to the nearest
    if (rounding == 1) return product >> by;                                // down
    return product < 0 ? -((-product) >> by) : product >> by;               // towards zero
}
static inline int64_t kept(wide sum, int64_t edge, int64_t* saturated) {
    if (sum > edge) { (*saturated)++; return edge; }
    if (sum < -edge) { (*saturated)++; return -edge; }
    return (int64_t)sum;
}

// Columns of `step`: the states, the input, the square of the first state; then constants.
extern "C" void integer_run(
    long states, long steps, const int64_t* current, const int64_t* step, const int64_t* constant,
    long by, const int64_t* above, int64_t threshold, const int64_t* reset,
    const int64_t* reset_constant, long reset_by, long fraction, long rounding, long in_turn,
    long wait, int64_t edge, const int64_t* start, int64_t* count, int32_t* times, int64_t* first,
    int64_t* saturated)
{
    int64_t x[8], y[8];
    for (long i = 0; i < states; i++) x[i] = start[i];
    long left = 0;
    const long columns = states + 2;
    for (long t = 0; t < steps; t++) {
        if (left > 0) { left--; first[t] = x[0]; continue; }
        const int64_t square = (int64_t)shifted((wide)x[0] * x[0], fraction, rounding);
        for (long i = 0; i < states; i++) y[i] = x[i];
        for (long i = 0; i < states; i++) {
            const int64_t* row = step + i * columns;
            wide sum = constant[i];
            for (long j = 0; j < states; j++)
                if (row[j]) sum += shifted((wide)row[j] * y[j], by, rounding);
            if (row[states]) sum += shifted((wide)row[states] * current[t], by, rounding);
            if (row[states + 1]) sum += shifted((wide)row[states + 1] * square, by, rounding);
            x[i] = kept(sum, edge, saturated);
            if (in_turn) y[i] = x[i];
        }
        wide distance = -threshold;
        for (long i = 0; i < states; i++) distance += (wide)above[i] * x[i];
        if (distance >= 0) {
            times[(*count)++] = (int32_t)(t + 1);
            for (long i = 0; i < states; i++) y[i] = x[i];
            for (long i = 0; i < states; i++) {
                wide sum = reset_constant[i];
                for (long j = 0; j < states; j++) {
                    const int64_t share = reset[i * states + j];
                    if (share) sum += shifted((wide)share * y[j], reset_by, rounding);
                }
                x[i] = kept(sum, edge, saturated);
            }
            left = wait;
        }
        first[t] = x[0];
    }
}
"""
