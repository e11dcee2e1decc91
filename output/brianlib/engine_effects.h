// Synaptic effects on several threads, each of which has a range of the targets.
//
// Effects that change nothing but their targets, each by what that target holds and what the synapse
// holds, can be divided by targets: sums for a target are added in the same order, whichever thread
// does it. Several pathways that follow each other are joined, so that threads wait for each other
// once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace engine {

extern int threads;

class Effect {
    int64_t n_targets = 0;

  public:
    virtual ~Effect() = default;
    // The synapses can be divided by what is in `targets`, numbers below n_targets.
    void divide(const std::vector<int32_t>& targets, int64_t n_targets);
    virtual size_t synapses() const = 0;
    virtual bool ready() const = 0;        // to be run by parts in this step
    virtual size_t delivered() const = 0;  // synapses that spikes have reached in the last step

  protected:
    const std::vector<int32_t>* targets = nullptr;
    bool divided() const;  // whether there are parts in this run
    size_t part_of(size_t synapse, size_t parts) const {
        return (size_t)((*targets)[synapse] * (int64_t)parts / n_targets);
    }
};

// Effects of a step, one after the other.
class Effects {
  public:
    static const size_t ALL = SIZE_MAX;
    static __thread size_t part;  // that the calling thread is to run; ALL outside of parts
    struct Member { Effect* effect; void (*run)(); };
    explicit Effects(std::vector<Member> members);
    void run();

  private:
    std::vector<Member> members;
    std::vector<uint32_t> until;
    void run_part(size_t number);
};

}  // namespace engine
