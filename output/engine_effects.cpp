// Synaptic effects on several threads; see the header.
#include "brianlib/engine_effects.h"
#include "brianlib/engine_phase.h"

namespace engine {

// Synapses of a program below which rows are not divided: each thread would find few of them.
static const size_t LEAST_SYNAPSES = 1000000;
// Synapses that spikes reach in a step below which it is not worth waking other threads.
static const size_t LEAST_DELIVERED = 1000;

__thread size_t Effects::part = Effects::ALL;

static std::vector<const Effect*>& divisible() {
    static std::vector<const Effect*> all;
    return all;
}

void Effect::divide(const std::vector<int32_t>& of, int64_t n) {
    targets = &of;
    n_targets = n;
    divisible().push_back(this);
}

bool Effect::divided() const {
    if (!targets || threads == 1) return false;
    size_t all = 0;
    for (const Effect* effect : divisible()) all += effect->synapses();
    return all >= LEAST_SYNAPSES;
}

Effects::Effects(std::vector<Member> all) : members(std::move(all)) {
    for (int k = 1; k <= threads; k++) until.push_back(k);
}

void Effects::run_part(size_t number) {
    part = number;
    for (const Member& member : members) member.run();
    part = ALL;
}

void Effects::run() {
    size_t work = 0;
    bool ready = true;
    for (const Member& member : members) {
        ready = ready && member.effect->ready();
        work += member.effect->delivered();
    }
    if (!ready || work < LEAST_DELIVERED) {
        for (const Member& member : members) member.run();
        return;
    }
    share_out(until, [](void* of, size_t number) { ((Effects*)of)->run_part(number); }, this);
}

}  // namespace engine
