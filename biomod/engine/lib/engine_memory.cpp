// Memory of all arrays: aligned for vectors, zero, and with room for whole vectors behind the end, so
// that loops over cells need no remainder.
#include <cstdlib>
#include <cstring>
#include <new>

void* operator new(std::size_t size) {
    const std::size_t whole = (size + 63) / 64 * 64 + 64;
    void* memory = nullptr;
    if (posix_memalign(&memory, 64, whole)) throw std::bad_alloc();
    std::memset(memory, 0, whole);
    return memory;
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
