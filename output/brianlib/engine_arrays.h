// Arrays of a program: made and read when it starts, written when it ends, set from its command line.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <type_traits>
#include <vector>

#include "brianlib/dynamic_array.h"

namespace engine {

template <class T>
void make_array(T*& values, size_t n) { values = new T[n](); }
template <class T>
void make_array(std::vector<T>& values, size_t n) { values.assign(n, T()); }

void read_bytes(const char* name, void* values, size_t bytes);  // of a file in static_arrays
void write_bytes(const char* file, const void* values, size_t bytes, bool append = false);
void check_written(std::ostream& out, const char* file);
// All values from one number, or each from a file of them.
void set_values(const std::string& name, void* values, size_t n, size_t width, bool real,
                const std::string& text);

template <class T>
void read_array(const char* name, T* values, size_t n) { read_bytes(name, values, n * sizeof(T)); }
template <class T>
void write_array(const char* file, const T* values, size_t n) {
    write_bytes(file, values, n * sizeof(T));
}
template <class T>
void write_array(const char* file, DynamicArray2D<T>& values) {
    write_bytes(file, nullptr, 0);
    for (int row = 0; row < values.n; row++)
        write_bytes(file, values(row).data(), values.m * sizeof(T), true);
}
// A time of a profile: a number in Brian2 before 2.10, a duration since.
inline double seconds(double time) { return time; }
template <class Duration> auto seconds(const Duration& time) -> decltype((double)time.count()) {
    return (double)time.count() * Duration::period::num / Duration::period::den;
}
template <class T>
void set_array(const std::string& name, T* values, size_t n, const std::string& text) {
    set_values(name, values, n, sizeof(T), std::is_floating_point<T>::value, text);
}
}  // namespace engine
