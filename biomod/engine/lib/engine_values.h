// Numbers that are data of a program and not text in its source (biomod/engine/constants.py).
#ifndef BIOMOD_ENGINE_VALUES_H
#define BIOMOD_ENGINE_VALUES_H

#include <cstdint>

namespace engine {
union Value {
    double real;
    int64_t integer;
};
extern const Value* values;
const Value* load_values();
}  // namespace engine

// Sizes of arrays are needed before main starts, so the first who asks loads the table.
static inline double _engine_real(int k) {
    return (engine::values ? engine::values : engine::load_values())[k].real;
}
static inline int64_t _engine_integer(int k) {
    return (engine::values ? engine::values : engine::load_values())[k].integer;
}

#endif
