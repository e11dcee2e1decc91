// Spikes on their way through a synaptic pathway.
//
// Brian2 puts the number of every synapse that a spike will reach into a queue. Here the spike
// itself waits: the synapses of a source lie in one row, sorted by delay, and a cursor moves along
// that row as the spike grows older. In a step, synapses take effect in the order of Brian2's queue:
// older spikes first, then by source, then by number of the synapse. Where rows have more synapses than there
// are delays, what is kept is how many of a row are left after each delay, else the delay of each synapse.
//
// Where nothing that a synapse holds can change during a run, what its effect reads (target, weight)
// is copied into the order of the rows, in *columns*: the synapses that a spike reaches lie side by
// side. Where an effect changes its targets only, the rows are divided into parts, each of which has
// a range of targets, for threads.
#ifndef BIOMOD_ENGINE_SYNAPSES_H
#define BIOMOD_ENGINE_SYNAPSES_H

//
// What does not depend on the effect is compiled once for all programs (engine_synapses.cpp).
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "brianlib/engine_effects.h"

class SynapticPathway : public engine::Effect {
  public:
    std::vector<int32_t>& sources;

    SynapticPathway(std::vector<int32_t>& sources, int start, int stop);
    ~SynapticPathway() override;

    // Sort the synapses at the begin of a run. Spikes of an earlier run keep the delays they had.
    void prepare(const char* name, const std::vector<double>& delays, double dt);
    void prepare(const char* name, const std::vector<float>& delays, double dt);

    void advance();

    // Spikes of this step, in ascending order.
    void push(const int32_t* spikes, int n);

    // Call `effect` with the number of each synapse that a spike reaches in this step.
    template <typename F>
    void deliver(F effect) {
        for (const int32_t synapse : due) effect((size_t)synapse);
        arrive(parts[0]);
        for (const Segment& reached : parts[0].segments)
            for (uint32_t place = reached.begin; place < reached.end; place++)
                effect((size_t)number(place));
    }

    // The same with places in the columns; of one part, if the threads have each got one.
    template <typename F>
    void deliver_places(F effect) {
        for (const int32_t synapse : due) effect((size_t)place(synapse));
        const size_t one = engine::Effects::part;
        for (size_t p = 0; p < parts.size(); p++) {
            if (one != engine::Effects::ALL && p != one) continue;
            Part& part = parts[p];
            if (parts.size() > 1) reach(part);
            arrive(part);
            for (const Segment& reached : part.segments)
                for (uint32_t place = reached.begin; place < reached.end; place++)
                    effect((size_t)place);
        }
        if (!settled) settle();
    }

    size_t synapses() const override;
    bool ready() const override;
    size_t delivered() const override;

    // What is in `values` for each synapse, in the order of the rows.
    template <typename T>
    const T* column(size_t k, const std::vector<T>& values) {
        const auto data = [](const void* of) -> const void* { return ((const std::vector<T>*)of)->data(); };
        if (k >= columns.size()) copy_column(&values, data, sizeof(T));  // they are asked for in order
        return (const T*)columns[k].values;
    }

  private:
    // A spike: the places in its row that it has not reached, the step in which it occurred and that
    // in which it reaches the next, or may do so.
    struct Flight { int32_t source; uint32_t row, next, end, since, due; };
    struct Segment { uint32_t begin, end; };
    struct Spike { uint32_t since; int32_t source; };
    // What a thread knows of spikes.
    struct alignas(64) Part {
        std::vector<Flight> flights;    // older spikes first, then by source
        size_t first = 0;               // those before it are over
        std::vector<size_t> arriving;   // those that reach synapses in this step
        std::vector<Segment> segments;  // at these places
        size_t delivered = 0;           // their number
        void forget();
    };
    struct Column { const char* values; size_t size; std::shared_ptr<void> own; };

    const int start, stop, n_sources;
    int least = 0, most = 0;              // delays, in steps
    double old_dt = 0;
    std::vector<uint32_t> rows;           // where the places of each part's sources begin
    std::vector<int32_t> order;           // numbers of the synapses by place; empty if they are the places
    // Delays. All of these are empty if there is only one.
    std::vector<uint16_t> remaining;      // synapses of a row after each of the delays, row by row
    std::vector<uint16_t> later;          // in its place: delays beyond the least, by place
    std::vector<int32_t> much_later;      // in its place if they have not got room there
    std::vector<Part> parts;
    uint32_t now = 0;                     // steps of this run
    std::vector<std::vector<int32_t>> kept;  // synapses of spikes from before, by steps to go
    std::vector<int32_t> due;                // those of them that are reached in this step
    std::vector<Column> columns;
    std::unique_ptr<std::vector<int32_t>> numbers;  // places by number of the synapse
    const void* delays_from = nullptr;
    bool settled = false;

    int32_t number(uint32_t place) const { return order.empty() ? (int32_t)place : order[place]; }
    int32_t place(int32_t synapse);
    int32_t delay_of(size_t row, uint32_t place) const;
    size_t row_of(size_t part, int32_t source) const { return part * n_sources + source - start; }
    const uint16_t& remains(size_t row, int32_t delay) const {
        return remaining[row * (most - least + 1) + (delay - least)];
    }
    size_t row_number(size_t synapse) const;

    void reach(Part& part);
    void arrive(Part& part);
    void fetch(const Flight& flight) const;
    void advance(Flight& flight) const;
    void copy_column(const void* values, const void* (*data)(const void*), size_t size);
    void settle();

    void prepare(const char* name, const std::vector<double>* doubles, const std::vector<float>* floats,
                 double dt);
    void place_in_rows();
    struct Sorting;
    void sort_rows(const double* doubles, const float* floats, double dt);
    void count_remaining();

    void keep(double ratio);
    std::vector<Spike> spikes() const;
    void take_up(const std::vector<Spike>& spikes);
    void register_state(const char* name);
};

#endif
