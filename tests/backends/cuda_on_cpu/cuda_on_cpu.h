// Runs kernels of a generated CUDA program on the processor, one thread after the other, so that a
// machine without a GPU can hold its results against those of another backend. Blocks have one
// thread unless the program says otherwise, and no barrier is needed then.
#pragma once
#include <cuda_runtime.h>

#include <thrust/sequence.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

// ---- the runtime ----
extern "C" {
cudaError_t cudaMalloc(void** p, size_t n) { *p = std::calloc(n ? n : 1, 1); return cudaSuccess; }
cudaError_t cudaFree(void* p) { std::free(p); return cudaSuccess; }
cudaError_t cudaMemcpy(void* to, const void* from, size_t n, cudaMemcpyKind) {
    if (n) std::memmove(to, from, n);
    return cudaSuccess;
}
cudaError_t cudaMemset(void* p, int value, size_t n) { std::memset(p, value, n); return cudaSuccess; }
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }
cudaError_t cudaDeviceSetLimit(cudaLimit, size_t) { return cudaSuccess; }
cudaError_t cudaMemGetInfo(size_t* left, size_t* all) { *left = *all = size_t(4) << 30; return cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
    *p = cudaDeviceProp{};
    p->multiProcessorCount = p->maxThreadsPerBlock = p->warpSize = 1;
    p->maxThreadsPerMultiProcessor = 1;
    p->sharedMemPerBlock = 48 * 1024;
    return cudaSuccess;
}
const char* cudaGetErrorString(cudaError_t) { return "error"; }
cudaError_t cudaProfilerStop() { return cudaSuccess; }
}
template <class T> cudaError_t emulated_to_symbol(T& symbol, const void* from, size_t n) {
    std::memcpy((void*)&symbol, from, n);
    return cudaSuccess;
}
#define cudaMemcpyToSymbol emulated_to_symbol
template <class F> cudaError_t cudaOccupancyMaxPotentialBlockSize(int* grid, int* block, F, int = 0, int = 0) {
    *grid = *block = 1;
    return cudaSuccess;
}
extern "C" cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* n, const void*, int, size_t, unsigned) {
    *n = 1;
    return cudaSuccess;
}
template <class F> cudaError_t emulated_attributes(cudaFuncAttributes* a, F) {
    *a = cudaFuncAttributes{};
    a->maxThreadsPerBlock = 1024;
    return cudaSuccess;
}
#define cudaFuncGetAttributes emulated_attributes

// ---- kernels ----
static dim3 emulated_thread, emulated_block, emulated_size, emulated_grid;
#define threadIdx emulated_thread
#define blockIdx emulated_block
#define blockDim emulated_size
#define gridDim emulated_grid
alignas(16) static char emulated_shared[1 << 20];
template <class F> struct Emulated {
    F kernel;
    unsigned grid, size;
    template <class... A> void operator()(A... a) const {
        emulated_size.x = size;
        emulated_grid.x = grid;
        for (unsigned b = 0; b < grid; b++)
            for (unsigned t = 0; t < size; t++) {
                emulated_block.x = b;
                emulated_thread.x = t;
                kernel(a...);
            }
    }
};
template <class F> Emulated<F> emulated(F f, unsigned grid, unsigned size, size_t = 0) {
    return {f, grid, size};
}
inline void __syncthreads() { if (emulated_size.x > 1) { std::fprintf(stderr, "a barrier\n"); std::abort(); } }
inline void __threadfence() {}
template <class T> T atomicAdd(T* p, T v) { T old = *p; *p += v; return old; }
template <class T> T atomicCAS(T* p, T is, T then) { T old = *p; if (old == is) *p = then; return old; }
template <class A, class B> A emulated_as(B b) { A a; std::memcpy(&a, &b, sizeof a); return a; }
#define __longlong_as_double emulated_as<double, unsigned long long>
#define __double_as_longlong emulated_as<unsigned long long, double>
#define __int_as_float emulated_as<float, int>
#define __float_as_int emulated_as<int, float>
