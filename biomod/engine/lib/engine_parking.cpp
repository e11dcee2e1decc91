// Arrays of synapses that wait on disk; see the header.
#include <cstdio>
#include <fstream>

#include "brianlib/engine_parking.h"
#include "brianlib/engine_recording.h"

namespace engine {
static const uint64_t LEAST = 1 << 20;  // bytes: less is not worth a file

bool last_run = false;

static std::vector<Parkable>& parkables() {
    static std::vector<Parkable> all;
    return all;
}

void add_parkable(Parkable parkable) { parkables().push_back(std::move(parkable)); }

Parkable* parkable(const void* values) {
    for (auto& candidate : parkables())
        if (candidate.values == values) return &candidate;
    return nullptr;
}

static std::string part(const Parkable& parkable) { return result(parkable.file + ".part"); }

void begin_run(bool last) {
    last_run = last;
    for (auto& parkable : parkables()) parkable.users = -1;
}

void expect(const void* values, int users) { parkable(values)->users = users; }

void release(const void* values) {
    Parkable* const released = parkable(values);
    if (!released || --released->users != 0) return;
    const uint64_t bytes = released->bytes();
    if (bytes < LEAST) return;
    std::ofstream out(part(*released), std::ios::binary | std::ios::trunc);
    out.write((const char*)released->memory(), bytes);
    out.close();
    if (!out) fail("cannot write " + part(*released) + "; is the disk full?");
    released->resize(0);
    released->parked = bytes;
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
    for (auto& parkable : parkables()) {
        if (parkable.parked == 0) continue;
        std::ifstream in(part(parkable), std::ios::binary);
        parkable.resize(parkable.parked);
        if (!in.read((char*)parkable.memory(), parkable.parked)) fail("cannot read " + part(parkable));
        in.close();
        std::remove(part(parkable).c_str());
        parkable.parked = 0;
    }
}

void finish_parked() {
    for (auto& parkable : parkables())
        if (parkable.parked && std::rename(part(parkable).c_str(), result(parkable.file).c_str()))
            fail("cannot write " + result(parkable.file));
}
}  // namespace engine
