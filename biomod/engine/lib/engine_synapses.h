// Spikes on their way through a synaptic pathway.
//
// Brian2 puts the number of every synapse that a spike will reach into a queue. Here the spike
// itself waits: the synapses of a source lie in one row, sorted by delay, and a cursor moves along
// that row as the spike grows older. In a step, synapses take effect in the order of Brian2's queue:
// older spikes first, then by source, then by number of the synapse.
//
// Where nothing that a synapse holds can change during a run, what its effect reads (target, weight)
// is copied into the order of the rows, in *columns*: the synapses that a spike reaches lie side by
// side. Where an effect changes its targets only, the rows are divided into parts, each of which has
// a range of targets, for threads.
#ifndef BIOMOD_ENGINE_SYNAPSES_H
#define BIOMOD_ENGINE_SYNAPSES_H

#include <algorithm>
#include <cstdint>
#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "brianlib/engine_effects.h"
#include "brianlib/engine_parking.h"
#include "brianlib/engine_state.h"

class SynapticPathway : public engine::Effect {
  public:
    std::vector<int32_t>& sources;

    SynapticPathway(std::vector<int32_t>& sources, int start, int stop)
        : sources(sources), start(start), stop(stop), n_sources(stop - start) {}

    // Sort the synapses at the begin of a run. Spikes of an earlier run keep the delays they had.
    template <typename T>
    void prepare(const char* name, const std::vector<T>& delays, double dt) {
        if (old_dt == 0) register_state(name);
        else keep(old_dt / dt);
        old_dt = dt;
        delays_from = &delays;
        const engine::Loan sources_lent(&sources), delays_lent(&delays), targets_lent(targets);
        const auto ends = std::minmax_element(delays.begin(), delays.end());
        least = delays.empty() ? 0 : steps(*ends.first, dt);
        most = delays.empty() ? 0 : steps(*ends.second, dt);
        parts.assign(divided() ? engine::threads : 1, {});
        place_in_rows();
        sort_rows(delays, dt);
        now = 0;
        columns.clear();
        numbers.reset();
        settled = false;
    }

    void advance() {
        now++;
        for (Part& part : parts) part.forget();
        due.clear();
        if (!kept.empty()) {
            due.swap(kept.front());
            kept.erase(kept.begin());
        }
    }

    // Spikes of this step, in ascending order.
    void push(const int32_t* spikes, int n) {
        const int32_t* spike = std::lower_bound(spikes, spikes + n, start);
        const int32_t* const end = std::lower_bound(spike, spikes + n, stop);
        for (; spike < end; spike++)
            for (size_t p = 0; p < parts.size(); p++) {
                const uint32_t* const row = row_of(p, *spike);
                if (row[0] < row[1])
                    parts[p].flights.push_back({*spike, row[0], row[1], now, now + delay_of(row[0])});
            }
        if (parts.size() == 1) reach(parts[0]);
    }

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

    size_t synapses() const override { return engine::size(sources); }
    bool ready() const override { return settled && parts.size() > 1; }
    size_t delivered() const override {
        size_t all = 0;
        for (const Part& part : parts) all += part.delivered;
        return all;
    }

    // What is in `values` for each synapse, in the order of the rows.
    template <typename T>
    const T* column(size_t k, const std::vector<T>& values) {
        if (k >= columns.size()) columns.push_back(copied(values));  // they are asked for in order
        return (const T*)columns[k].values;
    }

  private:
    // A spike: the places in its row that it has not reached, the step in which it occurred and that
    // in which it reaches the next.
    struct Flight { int32_t source; uint32_t next, end, since, due; };
    struct Segment { uint32_t begin, end; };
    struct Spike {
        uint32_t since;
        int32_t source;
        bool operator<(const Spike& other) const {
            return since != other.since ? since < other.since : source < other.source;
        }
        bool operator==(const Spike& other) const {
            return since == other.since && source == other.source;
        }
    };
    // What a thread knows of spikes.
    struct alignas(64) Part {
        std::vector<Flight> flights;    // older spikes first, then by source
        size_t first = 0;               // those before it are over
        std::vector<size_t> arriving;   // those that reach synapses in this step
        std::vector<Segment> segments;  // at these places
        size_t delivered = 0;           // their number
        // Forget spikes that are over, when they are at least as many as have to be moved.
        void forget() {
            while (first < flights.size() && flights[first].next == flights[first].end) first++;
            if (first <= flights.size() / 2) return;
            flights.erase(flights.begin(), flights.begin() + first);
            first = 0;
        }
    };
    struct Column { const char* values; size_t size; std::shared_ptr<void> own; };

    const int start, stop, n_sources;
    int least = 0, most = 0;              // delays, in steps
    double old_dt = 0;
    std::vector<uint32_t> rows;           // where the places of each part's sources begin
    std::vector<int32_t> order;           // numbers of the synapses by place; empty if they are the places
    std::vector<uint16_t> later;          // delays beyond the least, by place; empty if all are the same
    std::vector<int32_t> much_later;      // in its place if they have not got room there
    std::vector<Part> parts{1};
    uint32_t now = 0;                     // steps of this run
    std::vector<std::vector<int32_t>> kept;  // synapses of spikes from before, by steps to go
    std::vector<int32_t> due;                // those of them that are reached in this step
    std::vector<Column> columns;
    std::unique_ptr<std::vector<int32_t>> numbers;  // places by number of the synapse
    const void* delays_from = nullptr;
    bool settled = false;

    template <typename T> static int32_t steps(T delay, double dt) { return (int32_t)(delay / dt + 0.5); }

    int32_t delay_of(uint32_t place) const {
        if (!later.empty()) return least + later[place];
        return much_later.empty() ? most : least + much_later[place];
    }

    int32_t number(uint32_t place) const { return order.empty() ? (int32_t)place : order[place]; }

    int32_t place(int32_t synapse) {
        if (order.empty()) return synapse;
        if (!numbers) {
            numbers.reset(new std::vector<int32_t>(order.size()));
            for (size_t k = 0; k < order.size(); k++) (*numbers)[order[k]] = (int32_t)k;
        }
        return (*numbers)[synapse];
    }

    const uint32_t* row_of(size_t part, int32_t source) const {
        return &rows[part * n_sources + source - start];
    }

    // Find the spikes that reach synapses in this step.
    void reach(Part& part) {
        part.arriving.clear();
        for (size_t k = part.first; k < part.flights.size(); k++) {
            const Flight& flight = part.flights[k];
            if (flight.due == now && flight.next < flight.end) {
                part.arriving.push_back(k);
                fetch(flight.next);
            } else if (least == most) {
                break;
            }
        }
    }
    void arrive(Part& part) {
        part.segments.clear();
        part.delivered = 0;
        for (const size_t k : part.arriving) {
            const uint32_t begin = part.flights[k].next;
            advance(part.flights[k]);
            part.segments.push_back({begin, part.flights[k].next});
            part.delivered += part.flights[k].next - begin;
        }
    }

    // Have memory bring what will be read here: the state updates have swept it from the near caches.
    void fetch(uint32_t place) const {
        if (!later.empty()) __builtin_prefetch(&later[place]);
        for (const Column& column : columns) {
            const char* const values = column.values + place * column.size;
            __builtin_prefetch(values);
            __builtin_prefetch(values + 64);
        }
    }

    // Move the cursor behind the places of the delay at which it stands.
    void advance(Flight& flight) const {
        if (!later.empty()) flight.next = beyond(later.data(), flight.next, flight.end);
        else if (!much_later.empty()) flight.next = beyond(much_later.data(), flight.next, flight.end);
        else flight.next = flight.end;
        if (flight.next < flight.end) flight.due = flight.since + delay_of(flight.next);
    }

    template <typename T> static uint32_t beyond(const T* delays, uint32_t place, uint32_t end) {
        const T delay = delays[place];
        while (++place < end && delays[place] == delay) {}
        return place;
    }

    template <typename T> Column copied(const std::vector<T>& values) {
        if (order.empty()) engine::fetch(&values);
        if (order.empty()) return {(const char*)values.data(), sizeof(T), nullptr};
        const engine::Loan lent(&values);
        T* const own = new T[order.size()];
        for (size_t k = 0; k < order.size(); k++) own[k] = values[order[k]];
        engine::release(&values);
        return {(const char*)own, sizeof(T), std::shared_ptr<void>(own, [](void* memory) { operator delete[](memory); })};
    }

    // When all columns are there, in the first step of a run: what is no longer needed.
    void settle() {
        if (columns.empty() || !kept.empty() || !due.empty()) return;
        settled = true;
        engine::release(&sources);
        engine::release(delays_from);
        if (!engine::last_run) return;
        numbers.reset();
        // With columns of their own, places need no numbers any more.
        if (std::all_of(columns.begin(), columns.end(), [](const Column& c) { return c.own; }))
            std::vector<int32_t>().swap(order);
    }

    size_t row_number(size_t synapse) const {
        const size_t source = sources[synapse] - start;
        return parts.size() == 1 ? source : part_of(synapse, parts.size()) * n_sources + source;
    }

    // Give the synapses of each source a row in each part, in the order of their numbers.
    void place_in_rows() {
        const size_t n = sources.size();
        rows.assign(parts.size() * n_sources + 1, 0);
        for (size_t i = 0; i < n; i++) rows[row_number(i) + 1]++;
        for (size_t k = 1; k < rows.size(); k++) rows[k] += rows[k - 1];
        order.clear();
        if (parts.size() == 1 && std::is_sorted(sources.begin(), sources.end())) return;
        std::vector<uint32_t> place(rows.begin(), rows.end());
        order.resize(n);
        for (size_t i = 0; i < n; i++) order[place[row_number(i)]++] = (int32_t)i;
    }

    template <typename T> void sort_rows(const std::vector<T>& delays, double dt) {
        std::vector<uint16_t>().swap(later);
        std::vector<int32_t>().swap(much_later);
        if (least == most) return;
        if (order.empty()) {
            order.resize(sources.size());
            for (size_t k = 0; k < order.size(); k++) order[k] = (int32_t)k;
        }
        if (most - least <= UINT16_MAX) sort_rows(delays, dt, later);
        else sort_rows(delays, dt, much_later);
    }

    // Sort each row by delay; synapses of the same delay stay in the order of their numbers.
    template <typename T, typename D>
    void sort_rows(const std::vector<T>& delays, double dt, std::vector<D>& sorted) {
        sorted.resize(order.size());
        std::vector<int32_t> numbers, count(most - least + 2);
        std::vector<D> row;
        for (size_t k = 0; k + 1 < rows.size(); k++) {
            const uint32_t begin = rows[k], length = rows[k + 1] - begin;
            numbers.assign(order.begin() + begin, order.begin() + begin + length);
            row.resize(length);
            for (uint32_t k = 0; k < length; k++) row[k] = steps(delays[numbers[k]], dt) - least;
            if (length < count.size() / 8) {  // counting would take longer
                std::vector<std::pair<D, int32_t>> keys(length);
                for (uint32_t k = 0; k < length; k++) keys[k] = {row[k], numbers[k]};
                std::sort(keys.begin(), keys.end());
                for (uint32_t k = 0; k < length; k++) {
                    sorted[begin + k] = keys[k].first;
                    order[begin + k] = keys[k].second;
                }
                continue;
            }
            std::fill(count.begin(), count.end(), 0);
            for (const D delay : row) count[delay + 1]++;
            for (size_t k = 1; k < count.size(); k++) count[k] += count[k - 1];
            for (uint32_t k = 0; k < length; k++) {
                const uint32_t place = begin + count[row[k]]++;
                sorted[place] = row[k];
                order[place] = numbers[k];
            }
        }
    }

    // Write down which synapses the flying spikes will reach, before rows and delays change.
    void keep(double ratio) {
        std::vector<std::vector<int32_t>> still;
        const auto add = [&](int steps, int32_t synapse) {
            const size_t k = std::max(1, (int)(steps * ratio + 0.5)) - 1;
            if (still.size() <= k) still.resize(k + 1);
            still[k].push_back(synapse);
        };
        for (size_t k = 0; k < kept.size(); k++)
            for (int32_t synapse : kept[k]) add((int)k + 1, synapse);
        // In the order in which they would have been: parts do not come one after the other.
        for (const Spike& spike : spikes())
            for (size_t p = 0; p < parts.size(); p++) {
                const uint32_t* const row = row_of(p, spike.source);
                for (uint32_t k = row[0]; k < row[1]; k++)
                    if (delay_of(k) > (int32_t)(now - spike.since))
                        add((int)(spike.since + delay_of(k) - now), number(k));
            }
        kept = still;
    }

    // All that have synapses before them.
    std::vector<Spike> spikes() const {
        std::vector<Spike> all;
        for (const Part& part : parts)
            for (const Flight& flight : part.flights)
                if (flight.next < flight.end) all.push_back({flight.since, flight.source});
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
        return all;
    }

    // Put spikes of earlier steps back on their way.
    void take_up(const std::vector<Spike>& spikes) {
        for (size_t p = 0; p < parts.size(); p++) {
            parts[p] = {};
            for (const Spike& spike : spikes) {
                const uint32_t* const row = row_of(p, spike.source);
                if (row[0] == row[1]) continue;
                Flight flight{spike.source, row[0], row[1], spike.since, spike.since + delay_of(row[0])};
                while (flight.next < flight.end && (int32_t)(flight.due - now) <= 0) advance(flight);
                parts[p].flights.push_back(flight);
            }
        }
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
                write(to, std::vector<uint64_t>{now, kept.size()});
                write(to, spikes());
                for (const auto& step : kept) write(to, step);
            },
            [this](std::istream& from) {
                std::vector<uint64_t> sizes;
                read(from, sizes);
                sizes.resize(2);
                now = (uint32_t)sizes[0];
                kept.resize(sizes[1]);
                std::vector<Spike> flying;
                read(from, flying);
                take_up(flying);
                for (auto& step : kept) read(from, step);
            },
        });
    }
};

#endif
