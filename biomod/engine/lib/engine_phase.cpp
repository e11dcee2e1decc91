// The threads of a run, and how the cells of a phase are divided among them.
#include "brianlib/engine_phase.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "brianlib/engine_random.h"

namespace engine {

__thread const Slice* slice = nullptr;

// Looks that a thread takes before it sleeps (some 20 microseconds): longer than what lies between two
// phases of a small network, too short to keep other programs from a busy core for long.
static const int LOOKS = 1000;
// Work (ns) of a phase below which it is not worth waking another thread.
static const double LEAST_WORK = 5000;
static const size_t MOST_BLOCKS = 60000;  // their numbers have 16 bits

static inline void pause() {
#if defined(__x86_64__)
    _mm_pause();
#endif
}

// Something to wait for: awake at first, then asleep.
class Signal {
    std::atomic<int> asleep{0};
    std::mutex mutex;
    std::condition_variable condition;

  public:
    // After a change for which somebody may wait.
    void give() {
        if (!asleep.load()) return;
        std::lock_guard<std::mutex> lock(mutex);
        condition.notify_all();
    }
    template <typename F> void wait(F changed) {
        for (int look = 0; look < LOOKS; look++) {
            if (changed()) return;
            pause();
        }
        asleep++;
        std::unique_lock<std::mutex> lock(mutex);
        condition.wait(lock, changed);
        asleep--;
    }
};

// The other threads. Each takes the blocks of its own share, then what is left of other shares: a
// thread that has lost its core holds up the rest by one block at most.
class Pool {
    // Round (32 bits), next block and end of the share (16 each): blocks can be taken only from the
    // round that is going on.
    struct alignas(64) Share { std::atomic<uint64_t> state{0}; };
    std::vector<Share> shares;
    std::vector<std::thread> workers;
    void (*work)(void*, size_t) = nullptr;
    void* of = nullptr;
    alignas(64) std::atomic<uint32_t> round{0};
    alignas(64) std::atomic<uint32_t> left{0};  // blocks that are not done
    Signal started, ended;
    std::atomic<bool> over{false};

    void take_from(Share& share) {
        uint64_t state = share.state.load();
        while ((state >> 16 & 0xFFFF) < (state & 0xFFFF)) {
            if (!share.state.compare_exchange_weak(state, state + (1 << 16))) continue;
            work(of, state >> 16 & 0xFFFF);
            if (--left == 0) ended.give();
            state = share.state.load();
        }
    }
    void take(int thread) {
        for (size_t k = 0; k < shares.size(); k++) take_from(shares[(thread + k) % shares.size()]);
    }
    void serve(int thread) {
        _engine_flush_denormals();
        for (uint32_t seen = 0; !over; seen = round.load()) {
            take(thread);
            started.wait([&] { return round.load() != seen; });
        }
    }

  public:
    Pool() : shares(threads) {
        for (int thread = 1; thread < threads; thread++)
            workers.emplace_back([this, thread] { serve(thread); });
    }
    void run(const std::vector<uint32_t>& until, void (*next)(void*, size_t), void* next_of) {
        work = next;
        of = next_of;
        left = until.back();
        const uint64_t number = round.load() + 1;
        uint64_t first = 0;
        for (size_t k = 0; k < shares.size(); k++) {
            shares[k].state = number << 32 | first << 16 | until[k];
            first = until[k];
        }
        round = (uint32_t)number;
        started.give();
        take(0);
        ended.wait([&] { return left.load() == 0; });
    }
    ~Pool() {
        over = true;
        round++;
        started.give();
        for (auto& worker : workers) worker.join();
    }
};

void share_out(const std::vector<uint32_t>& until, void (*work)(void*, size_t), void* of) {
    static Pool pool;
    pool.run(until, work, of);
}

Phase::Phase(std::vector<Member> all) : members(std::move(all)), events(members.size()) { divide(); }

// Threads get neighbouring blocks, of equal work as nearly as whole blocks allow.
void Phase::divide() {
    double work = 0;
    int64_t cells = 0;
    std::vector<double> cost;
    std::vector<int64_t> size;
    for (const Member& member : members) {
        cost.resize(std::max<size_t>(cost.size(), member.group + 1));
        size.resize(cost.size());
        cost[member.group] += member.cost;
        size[member.group] = member.cells;
        work += member.cost * member.cells;
    }
    for (int64_t n : size) cells += n;
    if (threads == 1 || work < LEAST_WORK) return;
    const int64_t least = cells / MOST_BLOCKS / _engine_block + 1, length = least * _engine_block;
    until.assign(threads, 0);
    double done = 0;
    for (int group = 0; group < (int)size.size(); group++) {
        blocks_of.push_back({blocks.size(), blocks.size() + (size[group] + length - 1) / length});
        for (int64_t first = 0; first < size[group]; first += length) {
            const int64_t last = std::min(size[group], first + length);
            const double part = cost[group] * (last - first);
            blocks.push_back({group, first, last});
            until[std::min(threads - 1, (int)((done + part / 2) / work * threads))] = blocks.size();
            done += part;
        }
    }
    for (int k = 1; k < threads; k++) until[k] = std::max(until[k], until[k - 1]);
    for (auto& counts : events) counts.resize(blocks.size());
}

void Phase::run_block(size_t number) {
    const Block& block = blocks[number];
    for (size_t m = 0; m < members.size(); m++) {
        if (members[m].group != block.group) continue;
        const Slice cells = {block.first, block.last, &events[m][number]};
        slice = &cells;
        members[m].run();
    }
    slice = nullptr;
}

// Put the events of all blocks, each of which begin at its first cell, one behind the other.
void Phase::gather(size_t m) {
    int32_t* const all = members[m].events;
    int32_t count = 0;
    const auto own = blocks_of[members[m].group];
    for (size_t k = own.first; k < own.second; k++) {
        const int32_t found = events[m][k];
        const int32_t* const from = all + blocks[k].first;
        if (from != all + count)  // few, and never behind where they go
            for (int32_t i = 0; i < found; i++) all[count + i] = from[i];
        count += found;
    }
    all[members[m].cells] = count;
}

void Phase::run() {
    if (blocks.empty()) {
        for (const Member& member : members) member.run();
        return;
    }
    share_out(until, [](void* phase, size_t block) { ((Phase*)phase)->run_block(block); }, this);
    for (size_t m = 0; m < members.size(); m++) {
        if (members[m].events) gather(m);
        if (members[m].check) members[m].check();
    }
}

}  // namespace engine
