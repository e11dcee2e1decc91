// Numbers that are data of a program and not text in its source (biomod/engine/constants.py).
#ifndef BIOMOD_ENGINE_VALUES_H
#define BIOMOD_ENGINE_VALUES_H

#include <cstdint>

namespace engine {
union Value {
    double real;
    int64_t integer;
};
// Sizes of arrays are needed before main starts, so the first who asks loads the table. It never
// changes: `const` has a function with a hundred numbers ask once.
__attribute__((const)) const Value* values();
}  // namespace engine

static inline double _engine_real(int k) { return engine::values()[k].real; }
static inline int64_t _engine_integer(int k) { return engine::values()[k].integer; }

#endif
