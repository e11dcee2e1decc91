// Spikes on their way through a synaptic pathway.
//
// Brian2 puts the number of every synapse that a spike will reach into a queue. Here the spike
// itself waits: the synapses of a source lie in one row, sorted by delay, and a cursor moves along
// that row as the spike grows older. In a step, synapses take effect in the order of Brian2's queue:
// older spikes first, then by source, then by number of the synapse.
#ifndef BIOMOD_ENGINE_SYNAPSES_H
#define BIOMOD_ENGINE_SYNAPSES_H

#include <algorithm>
#include <cstdint>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "brianlib/engine_state.h"

class SynapticPathway {
  public:
    std::vector<int32_t>& sources;

    SynapticPathway(std::vector<int32_t>& sources, int start, int stop)
        : sources(sources), start(start), stop(stop) {}

    // Sort the synapses at the begin of a run. Spikes of an earlier run keep the delays they had.
    template <typename T>
    void prepare(const char* name, const T* delays, size_t n_delays, double dt) {
        if (old_dt == 0) register_state(name);
        else keep(old_dt / dt);
        old_dt = dt;
        std::vector<int32_t> steps(n_delays);
        for (size_t i = 0; i < n_delays; i++) steps[i] = (int32_t)(delays[i] / dt + 0.5);
        const auto ends = std::minmax_element(steps.begin(), steps.end());
        least = n_delays ? *ends.first : 0;
        most = n_delays ? *ends.second : 0;
        sort(steps);
        flights.assign(most + 1, {});
        now = 0;
        flying = 0;
    }

    void advance() {
        now = now + 1 == flights.size() ? 0 : now + 1;
        flying -= flights[now].size();
        flights[now].clear();
        due.clear();
        if (!kept.empty()) {
            due.swap(kept.front());
            kept.erase(kept.begin());
        }
    }

    // Spikes of this step, in ascending order.
    void push(const int32_t* spikes, int n) {
        const int32_t* first = std::lower_bound(spikes, spikes + n, start);
        const int32_t* last = std::lower_bound(first, spikes + n, stop);
        for (; first < last; first++) {
            const int32_t row = *first - start;
            if (rows[row] < rows[row + 1]) flights[now].push_back({row, rows[row]});
        }
        flying += flights[now].size();
    }

    // Call `effect` with the number of each synapse that a spike reaches in this step.
    template <typename F>
    void deliver(F effect) {
        for (int32_t synapse : due) effect((size_t)synapse);
        if (!flying) return;
        for (int age = most; age >= least; age--) {
            for (Flight& flight : flights[slot(age)]) {
                const uint32_t first = flight.next, end = arrivals(flight, age);
                flight.next = end;
                if (order.empty())
                    for (uint32_t k = first; k < end; k++) effect((size_t)k);
                else
                    for (uint32_t k = first; k < end; k++) effect((size_t)order[k]);
            }
        }
    }

  private:
    // A spike: the row of its source, and the first place in `order` that it has not reached.
    struct Flight { int32_t row; uint32_t next; };

    const int start, stop;
    int least = 0, most = 0;              // delays, in steps
    double old_dt = 0;
    std::vector<uint32_t> rows;           // where each source's synapses begin in `order`
    std::vector<int32_t> order;           // numbers of synapses; empty if they are in order already
    std::vector<int32_t> delay;           // of each place in `order`; empty if all are the same
    std::vector<std::vector<Flight>> flights = {{}};  // by the step in which the spikes occurred
    size_t now = 0, flying = 0;
    std::vector<std::vector<int32_t>> kept;  // synapses of spikes from before, by steps to go
    std::vector<int32_t> due;                // those of them that are due now

    size_t slot(int age) const { return now >= (size_t)age ? now - age : now + flights.size() - age; }

    // The end of those synapses of the row that a spike of this age reaches.
    uint32_t arrivals(const Flight& flight, int age) const {
        const uint32_t end = rows[flight.row + 1];
        if (delay.empty()) return end;
        uint32_t place = flight.next;
        while (place < end && delay[place] <= age) place++;
        return place;
    }

    void sort(const std::vector<int32_t>& steps) {
        const size_t n = sources.size();
        std::vector<int32_t> by_delay;
        if (least < most) {
            std::vector<uint32_t> place(most - least + 2);
            for (int32_t d : steps) place[d - least + 1]++;
            for (size_t k = 1; k < place.size(); k++) place[k] += place[k - 1];
            by_delay.resize(n);
            for (size_t i = 0; i < n; i++) by_delay[place[steps[i] - least]++] = (int32_t)i;
        }
        rows.assign(stop - start + 1, 0);
        for (int32_t source : sources) rows[source - start + 1]++;
        for (size_t k = 1; k < rows.size(); k++) rows[k] += rows[k - 1];
        std::vector<uint32_t> place(rows.begin(), rows.end());
        order.assign(n, 0);
        for (size_t i = 0; i < n; i++) {
            const int32_t synapse = by_delay.empty() ? (int32_t)i : by_delay[i];
            order[place[sources[synapse] - start]++] = synapse;
        }
        delay.clear();
        if (least < most) {
            delay.resize(n);
            for (size_t i = 0; i < n; i++) delay[i] = steps[order[i]];
        }
        bool sorted = true;
        for (size_t i = 0; i < n && sorted; i++) sorted = order[i] == (int32_t)i;
        if (sorted) std::vector<int32_t>().swap(order);
    }

    // Write down which synapses the flying spikes will reach, before rows and delays change.
    void keep(double ratio) {
        std::vector<std::vector<int32_t>> later;
        const auto add = [&](int steps, int32_t synapse) {
            const size_t k = std::max(1, (int)(steps * ratio + 0.5)) - 1;
            if (later.size() <= k) later.resize(k + 1);
            later[k].push_back(synapse);
        };
        for (size_t k = 0; k < kept.size(); k++)
            for (int32_t synapse : kept[k]) add((int)k + 1, synapse);
        for (int age = most; age >= 0; age--)
            for (const Flight& flight : flights[slot(age)])
                for (uint32_t k = flight.next; k < rows[flight.row + 1]; k++)
                    add((delay.empty() ? most : delay[k]) - age,
                        order.empty() ? (int32_t)k : order[k]);
        kept = later;
    }

    template <typename V>
    static void write(std::ostream& to, const std::vector<V>& values) {
        const uint64_t n = values.size();
        to.write((const char*)&n, sizeof n);
        to.write((const char*)values.data(), n * sizeof(V));
    }
    template <typename V>
    static void read(std::istream& from, std::vector<V>& values) {
        uint64_t n = 0;
        from.read((char*)&n, sizeof n);
        values.resize(from ? n : 0);
        from.read((char*)values.data(), values.size() * sizeof(V));
    }

    void register_state(const char* name) {
        engine_states().push_back({
            name,
            [this](std::ostream& to) {
                write(to, std::vector<uint64_t>{now, flights.size(), kept.size()});
                for (const auto& step : flights) write(to, step);
                for (const auto& step : kept) write(to, step);
            },
            [this](std::istream& from) {
                std::vector<uint64_t> sizes;
                read(from, sizes);
                sizes.resize(3);
                now = sizes[0];
                flights.resize(sizes[1]);
                kept.resize(sizes[2]);
                flying = 0;
                for (auto& step : flights) read(from, step), flying += step.size();
                for (auto& step : kept) read(from, step);
            },
        });
    }
};

#endif
