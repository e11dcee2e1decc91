// Arrays whose type is not known where they are saved, recorded or put on disk: these functions are
// compiled once for all programs, and a program has a few short ones for each type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "brianlib/dynamic_array.h"

namespace engine {

struct Vector {
    void* of;
    size_t width;  // of a value
    struct Functions {
        void* (*data)(void*);
        size_t (*size)(const void*);
        void (*resize)(void*, size_t);
        void (*clear)(void*);
    } functions;

    void* data() const { return functions.data(of); }
    size_t size() const { return functions.size(of); }
    uint64_t bytes() const { return (uint64_t)size() * width; }
    void resize(size_t n) const { functions.resize(of, n); }  // to nothing: memory goes back
    void clear() const { functions.clear(of); }               // memory stays
};
template <class T> Vector access(std::vector<T>& values) {
    return {&values,
            sizeof(T),
            {[](void* of) -> void* { return ((std::vector<T>*)of)->data(); },
             [](const void* of) { return ((const std::vector<T>*)of)->size(); },
             [](void* of, size_t n) {
                 if (n) ((std::vector<T>*)of)->resize(n);
                 else std::vector<T>().swap(*(std::vector<T>*)of);
             },
             [](void* of) { ((std::vector<T>*)of)->clear(); }}};
}

// Brian2 2.10 has other tables than 2.9: sizes of another type, and rows that are copies.
struct Table {
    void* of;
    size_t width;
    struct Functions {
        size_t (*rows)(const void*);
        size_t (*columns)(const void*);
        void* (*first)(void*, int);  // of a row, whose values lie side by side
        void (*resize)(void*, int, int);
    } functions;

    size_t rows() const { return functions.rows(of); }
    size_t columns() const { return functions.columns(of); }
    void* row(size_t k) const { return columns() ? functions.first(of, (int)k) : nullptr; }
    uint64_t bytes() const { return (uint64_t)rows() * columns() * width; }
    void resize(size_t n, size_t m) const { functions.resize(of, (int)n, (int)m); }
};
template <class T> Table access(DynamicArray2D<T>& values) {
    return {&values,
            sizeof(T),
            {[](const void* of) { return (size_t)((const DynamicArray2D<T>*)of)->n; },
             [](const void* of) { return (size_t)((const DynamicArray2D<T>*)of)->m; },
             [](void* of, int row) -> void* { return &(*(DynamicArray2D<T>*)of)(row, 0); },
             [](void* of, int n, int m) { ((DynamicArray2D<T>*)of)->resize(n, m); }}};
}

}  // namespace engine
