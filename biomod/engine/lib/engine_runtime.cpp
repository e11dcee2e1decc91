// What there is once in a program: memory, the key of random numbers, the number of threads.
#if defined(_OPENMP)
#include <omp.h>
#endif

#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "brianlib/engine_random.h"
#include "brianlib/engine_state.h"

// Memory of all arrays: aligned for vectors, and with room for whole vectors behind the end, which is
// zero, so that loops over cells need no remainder. The rest is not touched: what a growing array has
// in reserve costs no memory. Alignment takes longer, and gains nothing for a few values, such as a
// monitor's row.
void* operator new(std::size_t size) {
    const std::size_t whole = (size + 63) / 64 * 64 + 64;
    void* memory = nullptr;
    if (size < 512) memory = std::malloc(whole);
    else if (posix_memalign(&memory, 64, whole)) memory = nullptr;
    if (!memory) throw std::bad_alloc();
    std::memset((char*)memory + size, 0, whole - size);
    return memory;
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace engine {
uint64_t random_key = 0;
uint32_t assignments = 0;
int threads = 1;
}  // namespace engine

std::vector<EngineState>& engine_states() {
    static std::vector<EngineState> states;
    return states;
}

void _engine_seed(uint64_t seed) {
    engine::random_key = seed;
    engine::assignments = 0;
}
void _engine_seed() {
    std::random_device device;
    _engine_seed(((uint64_t)device() << 32) | device());
}

void _engine_start() {
#if defined(__GLIBC__)
    mallopt(M_MMAP_THRESHOLD, 1 << 20);  // what large arrays have taken goes back to the system
#endif
    _engine_flush_denormals();
    _engine_seed();
    const char* threads = std::getenv("BIOMOD_THREADS");
    if (threads) engine::threads = std::atoi(threads) > 1 ? std::atoi(threads) : 1;
#if defined(_OPENMP)
    omp_set_dynamic(0);
    omp_set_num_threads(engine::threads);
#endif
}
