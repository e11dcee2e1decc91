// What synaptic pathways do that does not depend on the effect of a spike; see the header.
#include "brianlib/engine_synapses.h"

#include <algorithm>
#include <cstring>
#include <istream>
#include <ostream>

#include "brianlib/engine_draws.h"
#include "brianlib/engine_parking.h"
#include "brianlib/engine_phase.h"
#include "brianlib/engine_state.h"

// Synapses below which it is not worth waking other threads to sort them, and parts for each thread.
static const size_t LEAST_SORTED = 20000;
static const int PARTS_OF_ROWS = 8;

SynapticPathway::SynapticPathway(std::vector<int32_t>& sources, int start, int stop)
    : sources(sources), start(start), stop(stop), n_sources(stop - start), parts(1) {}

SynapticPathway::~SynapticPathway() = default;

size_t SynapticPathway::synapses() const { return engine::size(sources); }

bool SynapticPathway::ready() const { return settled && parts.size() > 1; }

size_t SynapticPathway::delivered() const {
    size_t all = 0;
    for (const Part& part : parts) all += part.delivered;
    return all;
}

int32_t SynapticPathway::delay_of(size_t row, uint32_t place) const {
    if (!later.empty()) return least + later[place];
    if (!much_later.empty()) return least + much_later[place];
    if (remaining.empty()) return most;
    int32_t delay = least;
    while (rows[row + 1] - remains(row, delay) <= place) delay++;
    return delay;
}

int32_t SynapticPathway::place(int32_t synapse) {
    if (order.empty()) return synapse;
    if (!numbers) {
        numbers.reset(new std::vector<int32_t>(order.size()));
        for (size_t k = 0; k < order.size(); k++) (*numbers)[order[k]] = (int32_t)k;
    }
    return (*numbers)[synapse];
}

// ------------------------------------------------------------------ in a step

// Forget spikes that are over, when they are at least as many as have to be moved.
void SynapticPathway::Part::forget() {
    while (first < flights.size() && flights[first].next == flights[first].end) first++;
    if (first <= flights.size() / 2) return;
    flights.erase(flights.begin(), flights.begin() + first);
    first = 0;
}

void SynapticPathway::advance() {
    now++;
    for (Part& part : parts) part.forget();
    due.clear();
    if (!kept.empty()) {
        due.swap(kept.front());
        kept.erase(kept.begin());
    }
}

void SynapticPathway::push(const int32_t* spikes, int n) {
    const int32_t* spike = std::lower_bound(spikes, spikes + n, start);
    const int32_t* const end = std::lower_bound(spike, spikes + n, stop);
    for (; spike < end; spike++)
        for (size_t p = 0; p < parts.size(); p++) {
            const size_t row = row_of(p, *spike);
            if (rows[row] == rows[row + 1]) continue;
            const int32_t first = remaining.empty() ? delay_of(row, rows[row]) : least;
            parts[p].flights.push_back({*spike, (uint32_t)row, rows[row], rows[row + 1], now, now + first});
        }
    if (parts.size() == 1) reach(parts[0]);
}

// Find the spikes that reach synapses in this step.
void SynapticPathway::reach(Part& part) {
    part.arriving.clear();
    for (size_t k = part.first; k < part.flights.size(); k++) {
        const Flight& flight = part.flights[k];
        if (flight.due == now && flight.next < flight.end) {
            part.arriving.push_back(k);
            fetch(flight);
        } else if (least == most) {
            break;
        }
    }
}

void SynapticPathway::arrive(Part& part) {
    part.segments.clear();
    part.delivered = 0;
    for (const size_t k : part.arriving) {
        const uint32_t begin = part.flights[k].next;
        advance(part.flights[k]);
        if (part.flights[k].next == begin) continue;
        part.segments.push_back({begin, part.flights[k].next});
        part.delivered += part.flights[k].next - begin;
    }
}

// Have memory bring what will be read here: the state updates have swept it from the near caches.
void SynapticPathway::fetch(const Flight& flight) const {
    if (!remaining.empty()) __builtin_prefetch(&remains(flight.row, now - flight.since));
    else if (!later.empty()) __builtin_prefetch(&later[flight.next]);
    for (const Column& column : columns) {
        const char* const values = column.values + flight.next * column.size;
        __builtin_prefetch(values);
        __builtin_prefetch(values + 64);
    }
}

template <typename T> static uint32_t beyond(const T* delays, uint32_t place, uint32_t end) {
    const T delay = delays[place];
    while (++place < end && delays[place] == delay) {}
    return place;
}

// Move the cursor behind the places of the delay at which it stands.
void SynapticPathway::advance(Flight& flight) const {
    if (!remaining.empty()) {
        flight.next = flight.end - remains(flight.row, now - flight.since);
        flight.due++;
        return;
    }
    if (!later.empty()) flight.next = beyond(later.data(), flight.next, flight.end);
    else if (!much_later.empty()) flight.next = beyond(much_later.data(), flight.next, flight.end);
    else flight.next = flight.end;
    if (flight.next < flight.end) flight.due = flight.since + delay_of(flight.row, flight.next);
}

// ------------------------------------------------------------------ columns

template <typename V> static void copy_in_order(void* to, const void* from, const std::vector<int32_t>& order) {
    V* const own = (V*)to;
    const V* const values = (const V*)from;
    engine::in_blocks(order.size(), true, [&](int64_t first, int size) {
        for (int64_t k = first; k < first + size; k++) own[k] = values[order[k]];
    });
}

void SynapticPathway::copy_column(const void* values, const void* (*data)(const void*), size_t size) {
    if (order.empty()) {
        engine::fetch(values);
        columns.push_back({(const char*)data(values), size, nullptr});
        return;
    }
    const engine::Loan lent(values);
    void* const own = operator new[](order.size() * size);
    if (size == 8) copy_in_order<int64_t>(own, data(values), order);
    else if (size == 4) copy_in_order<int32_t>(own, data(values), order);
    else if (size == 2) copy_in_order<int16_t>(own, data(values), order);
    else copy_in_order<char>(own, data(values), order);
    engine::release(values);
    columns.push_back({(const char*)own, size,
                       std::shared_ptr<void>(own, [](void* memory) { operator delete[](memory); })});
}

// When all columns are there, in the first step of a run: what is no longer needed.
void SynapticPathway::settle() {
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

// ------------------------------------------------------------------ rows

template <typename T> static int32_t steps(T delay, double dt) { return (int32_t)(delay / dt + 0.5); }

template <typename T> static void find_ends(const std::vector<T>& delays, double dt, int& least, int& most) {
    T shortest = delays.empty() ? T(0) : delays[0], longest = shortest;
#pragma omp simd reduction(min : shortest) reduction(max : longest)
    for (size_t k = 0; k < delays.size(); k++) {
        shortest = delays[k] < shortest ? delays[k] : shortest;
        longest = delays[k] > longest ? delays[k] : longest;
    }
    least = steps(shortest, dt);
    most = steps(longest, dt);
}

void SynapticPathway::prepare(const char* name, const std::vector<double>& delays, double dt) {
    prepare(name, &delays, nullptr, dt);
}
void SynapticPathway::prepare(const char* name, const std::vector<float>& delays, double dt) {
    prepare(name, nullptr, &delays, dt);
}
void SynapticPathway::prepare(const char* name, const std::vector<double>* doubles,
                              const std::vector<float>* floats, double dt) {
    if (old_dt == 0) register_state(name);
    else keep(old_dt / dt);
    old_dt = dt;
    delays_from = doubles ? (const void*)doubles : floats;
    const engine::Loan sources_lent(&sources), delays_lent(delays_from), targets_lent(targets);
    if (doubles) find_ends(*doubles, dt, least, most);
    else find_ends(*floats, dt, least, most);
    parts.assign(divided() ? engine::threads : 1, {});
    place_in_rows();
    sort_rows(doubles ? doubles->data() : nullptr, floats ? floats->data() : nullptr, dt);
    now = 0;
    columns.clear();
    numbers.reset();
    settled = false;
}

size_t SynapticPathway::row_number(size_t synapse) const {
    const size_t source = sources[synapse] - start;
    return parts.size() == 1 ? source : part_of(synapse, parts.size()) * n_sources + source;
}

// Give the synapses of each source a row in each part, in the order of their numbers.
void SynapticPathway::place_in_rows() {
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

// Sorts rows by delay; synapses of the same delay stay in the order of their numbers. Not a template, since
// four kinds of it take long to compile.
struct SynapticPathway::Sorting {
    SynapticPathway& of;
    const double* const doubles;  // the delays: these or
    const float* const floats;
    const double dt;
    const size_t parts;

    void run(size_t part) const {
        std::vector<int32_t> numbers, delays, count(of.most - of.least + 2);
        std::vector<uint64_t> keys;
        const size_t all = of.rows.size() - 1, last = all * (part + 1) / parts;
        for (size_t row = all * part / parts; row < last; row++) {
            const uint32_t begin = of.rows[row], length = of.rows[row + 1] - begin;
            numbers.assign(of.order.begin() + begin, of.order.begin() + begin + length);
            delays.resize(length);
            for (uint32_t k = 0; k < length; k++)
                delays[k] = (doubles ? steps(doubles[numbers[k]], dt) : steps(floats[numbers[k]], dt)) - of.least;
            if (length < count.size() / 8) by_comparing(begin, numbers, delays, keys);
            else by_counting(begin, numbers, delays, count);
        }
    }

  private:
    void place(uint32_t place, int32_t number, int32_t delay) const {
        of.order[place] = number;
        if (of.later.empty()) of.much_later[place] = delay;
        else of.later[place] = (uint16_t)delay;
    }

    // For few of many delays, where counting takes longer.
    void by_comparing(uint32_t begin, const std::vector<int32_t>& numbers,
                      const std::vector<int32_t>& delays, std::vector<uint64_t>& keys) const {
        keys.resize(numbers.size());
        for (size_t k = 0; k < keys.size(); k++) keys[k] = (uint64_t)delays[k] << 32 | (uint32_t)numbers[k];
        std::sort(keys.begin(), keys.end());
        for (const uint64_t key : keys) place(begin++, (int32_t)key, (int32_t)(key >> 32));
    }

    void by_counting(uint32_t begin, const std::vector<int32_t>& numbers,
                     const std::vector<int32_t>& delays, std::vector<int32_t>& count) const {
        std::fill(count.begin(), count.end(), 0);
        for (const int32_t delay : delays) count[delay + 1]++;
        for (size_t k = 1; k < count.size(); k++) count[k] += count[k - 1];
        for (size_t k = 0; k < numbers.size(); k++) place(begin + count[delays[k]]++, numbers[k], delays[k]);
    }
};

void SynapticPathway::sort_rows(const double* doubles, const float* floats, double dt) {
    std::vector<uint16_t>().swap(remaining);
    std::vector<uint16_t>().swap(later);
    std::vector<int32_t>().swap(much_later);
    if (least == most) return;
    if (order.empty()) {
        order.resize(sources.size());
        for (size_t k = 0; k < order.size(); k++) order[k] = (int32_t)k;
    }
    if (most - least <= UINT16_MAX) later.resize(order.size());
    else much_later.resize(order.size());
    const bool alone = engine::threads == 1 || order.size() < LEAST_SORTED;
    const Sorting sorting{*this, doubles, floats, dt, (size_t)(alone ? 1 : engine::threads * PARTS_OF_ROWS)};
    std::vector<uint32_t> until;
    for (int k = 1; k <= engine::threads; k++) until.push_back(k * PARTS_OF_ROWS);
    if (alone) sorting.run(0);
    else engine::share_out(until, [](void* of, size_t part) { ((const Sorting*)of)->run(part); }, (void*)&sorting);
    count_remaining();
}

// In place of the delays of all synapses, if that is less.
void SynapticPathway::count_remaining() {
    const size_t all = rows.size() - 1, delays = most - least + 1;
    if (later.empty() || all * delays > later.size()) return;
    for (size_t row = 0; row < all; row++)
        if (rows[row + 1] - rows[row] > UINT16_MAX) return;
    remaining.resize(all * delays);
    for (size_t row = 0; row < all; row++) {
        uint32_t place = rows[row];
        for (size_t delay = 0; delay < delays; delay++) {
            while (place < rows[row + 1] && later[place] == delay) place++;
            remaining[row * delays + delay] = (uint16_t)(rows[row + 1] - place);
        }
    }
    std::vector<uint16_t>().swap(later);
}

// ------------------------------------------------------------------ from run to run, and checkpoints

// Write down which synapses the flying spikes will reach, before rows and delays change.
void SynapticPathway::keep(double ratio) {
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
            const size_t row = row_of(p, spike.source);
            for (uint32_t k = rows[row]; k < rows[row + 1]; k++)
                if (delay_of(row, k) > (int32_t)(now - spike.since))
                    add((int)(spike.since + delay_of(row, k) - now), number(k));
        }
    kept = still;
}

// All that have synapses before them, older ones first, then by source.
std::vector<SynapticPathway::Spike> SynapticPathway::spikes() const {
    std::vector<uint64_t> keys;
    for (const Part& part : parts)
        for (const Flight& flight : part.flights)
            if (flight.next < flight.end) keys.push_back((uint64_t)flight.since << 32 | (uint32_t)flight.source);
    std::sort(keys.begin(), keys.end());
    std::vector<Spike> all;
    for (size_t k = 0; k < keys.size(); k++)
        if (k == 0 || keys[k] != keys[k - 1]) all.push_back({(uint32_t)(keys[k] >> 32), (int32_t)keys[k]});
    return all;
}

// Put spikes of earlier steps back on their way.
void SynapticPathway::take_up(const std::vector<Spike>& spikes) {
    for (size_t p = 0; p < parts.size(); p++) {
        parts[p] = {};
        for (const Spike& spike : spikes) {
            const size_t row = row_of(p, spike.source);
            if (rows[row] == rows[row + 1]) continue;
            Flight flight{spike.source, (uint32_t)row, rows[row], rows[row + 1], spike.since, now};
            const int32_t age = now - spike.since;
            while (flight.next < flight.end && delay_of(row, flight.next) <= age) flight.next++;
            if (flight.next < flight.end) flight.due = spike.since + delay_of(row, flight.next);
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

void SynapticPathway::register_state(const char* name) {
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
