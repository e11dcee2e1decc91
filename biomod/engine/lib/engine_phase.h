// Phases: pieces of a time step whose cells are divided among threads.
//
// The members of a phase are functions of the program that change each cell by what that cell alone
// holds. So a thread can go through all of them for a block of cells, and threads wait for each other
// only at the end of the phase. Which thread computes a block changes no result.
#ifndef BIOMOD_ENGINE_PHASE_H
#define BIOMOD_ENGINE_PHASE_H

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace engine {

// The cells that the calling thread is to compute, and where it leaves the number of their events.
struct Slice {
    int64_t first, last;
    int32_t* events;
};
extern __thread const Slice* slice;  // none outside of phases

// The calling thread's cells of a group.
inline Slice cells(int64_t n) { return slice ? *slice : Slice{0, n, nullptr}; }

// Leave the number of events: beside the slice, or behind the events of the whole group.
inline void count_events(const Slice& cells, int32_t* events, int64_t n, int32_t count) {
    if (cells.events) *cells.events = count;
    else events[n] = count;
}

// Call work(of, number) for all numbers below the last of `until`, on all threads; each takes those
// before its own entry first.
void share_out(const std::vector<uint32_t>& until, void (*work)(void*, size_t), void* of);

class Phase {
  public:
    // Groups that have the same number have the same cells.
    struct Member {
        void (*run)();
        int group;
        int64_t cells;
        double cost;                 // of a cell, in ns, roughly
        int32_t* events = nullptr;   // of a threshold
        void (*check)() = nullptr;   // of the state, at intervals
    };
    explicit Phase(std::vector<Member> members);
    void run();

  private:
    struct Block {
        int group;
        int64_t first, last;
    };
    std::vector<Member> members;
    std::vector<Block> blocks;       // none if the phase is left to one thread
    std::vector<std::pair<size_t, size_t>> blocks_of;  // the first of each group, and that behind its last
    std::vector<uint32_t> until;     // the block at which each thread's share ends
    std::vector<std::vector<int32_t>> events;  // of each member, by block
    void divide();
    void run_block(size_t block);
    void gather(size_t member);
};

}  // namespace engine

#endif
