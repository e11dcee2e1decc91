// Arrays of synapses that wait on disk; see the header.
#include <algorithm>
#include <cstdio>
#include <fstream>

#include "brianlib/engine_arrays.h"
#include "brianlib/engine_parking.h"
#include "brianlib/engine_recording.h"

namespace engine {
static const uint64_t LEAST = 1 << 20;  // bytes: less is not worth a file
static const uint64_t FREE = 16 << 20;  // of all arrays together: so many need not wait on disk

bool last_run = false;

static std::vector<Parkable>& parkables() {
    static std::vector<Parkable> all;
    return all;
}

void add_parkable(const char* file, Vector values) { parkables().push_back({values, file}); }

Parkable* parkable(const void* values) {
    for (auto& candidate : parkables())
        if (candidate.vector.of == values) return &candidate;
    return nullptr;
}

static std::string part(const Parkable& parkable) { return result(parkable.file + ".part"); }

void begin_run(bool last) {
    last_run = last;
    for (auto& parkable : parkables()) parkable.users = -1;
}

void expect(const void* values, int users) { parkable(values)->users = users; }

static void park(Parkable& parked) {
    const uint64_t bytes = parked.vector.bytes();
    if (bytes < LEAST) return;
    // The file of an earlier run is written over, see write_bytes.
    std::rename(result(parked.file).c_str(), part(parked).c_str());
    write_bytes((parked.file + ".part").c_str(), parked.vector.data(), bytes);
    parked.vector.resize(0);
    parked.parked = bytes;
}

void park(const void* values) {
    uint64_t all = 0;
    for (const auto& candidate : parkables())
        if (!candidate.parked) all += candidate.vector.bytes();
    if (all > FREE) park(*parkable(values));
}

void release(const void* values) {
    Parkable* const released = parkable(values);
    if (released && --released->users == 0 && !released->parked) park(*released);
}

static void read(const Parkable& parkable) {
    std::ifstream in(part(parkable), std::ios::binary);
    parkable.vector.resize(parkable.parked / parkable.vector.width);
    if (!in.read((char*)parkable.vector.data(), parkable.parked)) fail("cannot read " + part(parkable));
}

static void fetch(Parkable& parkable) {
    if (parkable.parked == 0) return;
    read(parkable);
    std::remove(part(parkable).c_str());
    parkable.parked = 0;
}

void fetch(const void* values) {
    if (Parkable* const found = parkable(values)) fetch(*found);
}

void replace_parked(const void* values) {
    Parkable* const found = parkable(values);
    if (!found || found->parked == 0) return;
    std::remove(part(*found).c_str());
    found->parked = 0;
}

Loan::Loan(const void* values) : lent(parkable(values)) {
    if (lent && lent->parked) read(*lent);
}

Loan::~Loan() {
    if (lent && lent->parked) lent->vector.resize(0);
}

void copy_parked(const Parkable& parkable, std::ostream& to) {
    std::ifstream in(part(parkable), std::ios::binary);
    std::vector<char> block(1 << 16);
    for (uint64_t left = parkable.parked; left > 0; left -= in.gcount()) {
        in.read(block.data(), std::min<uint64_t>(block.size(), left));
        if (in.gcount() == 0) fail("cannot read " + part(parkable));
        to.write(block.data(), in.gcount());
    }
}

void fetch_parked() {
    for (auto& parkable : parkables()) fetch(parkable);
}

void finish_parked() {
    for (auto& parkable : parkables())
        if (parkable.parked && std::rename(part(parkable).c_str(), result(parkable.file).c_str()))
            fail("cannot write " + result(parkable.file));
}
}  // namespace engine
