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

struct Table {
    void* of;
    size_t width;
    const int *rows, *columns;
    struct Functions {
        void* (*row)(void*, int);
        void (*resize)(void*, int, int);
    } functions;

    void* row(int k) const { return functions.row(of, k); }
    uint64_t bytes() const { return (uint64_t)*rows * *columns * width; }
    void resize(int n, int m) const { functions.resize(of, n, m); }
};
template <class T> Table access(DynamicArray2D<T>& values) {
    return {&values,
            sizeof(T),
            &values.n,
            &values.m,
            {[](void* of, int row) -> void* { return (*(DynamicArray2D<T>*)of)(row).data(); },
             [](void* of, int n, int m) { ((DynamicArray2D<T>*)of)->resize(n, m); }}};
}

}  // namespace engine
