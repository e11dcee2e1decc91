// Recordings on disk; see the header.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "brianlib/engine_recording.h"

namespace brian { extern std::string results_dir; }

namespace engine {
static const uint64_t CHUNK = 1 << 20;

std::vector<Recording>& recordings() {
    static std::vector<Recording> all;
    return all;
}

std::string result(const std::string& file) { return brian::results_dir + file; }

void fail(const std::string& message) {
    std::cerr << message << std::endl;
    std::ofstream(result("failure.txt")) << message;
    std::exit(4);
}

void synchronise(const std::string& path) {
    const int descriptor = open(path.c_str(), O_RDONLY);
    if (descriptor < 0 || fsync(descriptor)) fail("cannot write " + path);
    close(descriptor);
}

void record(const char* file, Vector values) { recordings().push_back({file, values, {}}); }
void record(const char* file, Table values) { recordings().push_back({file, {}, values}); }

static std::string part(const Recording& recording) { return result(recording.file + ".part"); }

static void append(Recording& recording) {
    const uint64_t more = recording.bytes();
    if (more == 0) return;
    const auto mode = recording.written ? std::ios::app : std::ios::trunc;
    std::ofstream out(part(recording), std::ios::binary | std::ios::out | mode);
    const Vector& vector = recording.vector;
    const Table& table = recording.table;
    if (vector.of) {
        out.write((const char*)vector.data(), more);
        vector.clear();
    } else {
        for (size_t row = 0; row < table.rows(); row++)
            out.write((const char*)table.row(row), table.columns() * table.width);
        table.resize(0, table.columns());
    }
    out.close();
    if (!out) fail("cannot write the recording " + part(recording) + "; is the disk full?");
    recording.written += more;
    recording.synchronised = false;
}

void start_recordings() {
    for (auto& recording : recordings()) std::remove(part(recording).c_str());
}

void spill_recordings() {
    for (auto& recording : recordings())
        if (recording.bytes() >= CHUNK) append(recording);
}

void synchronise_recordings() {
    for (auto& recording : recordings()) {
        if (!recording.synchronised) synchronise(part(recording));
        recording.synchronised = true;
    }
}

// A program that was killed while it finished has given some of them their final names.
uint64_t length_on_disk(const Recording& recording) {
    struct stat about;
    if (!stat(part(recording).c_str(), &about)) return about.st_size;
    return stat(result(recording.file).c_str(), &about) ? 0 : about.st_size;
}

void cut_recordings(const std::vector<uint64_t>& lengths) {
    for (size_t k = 0; k < lengths.size(); k++) {
        Recording& recording = recordings()[k];
        const std::string path = part(recording);
        recording.written = lengths[k];
        if (lengths[k] == 0) {
            std::remove(path.c_str());
            continue;
        }
        bool there = !::access(path.c_str(), F_OK);
        if (!there) there = !std::rename(result(recording.file).c_str(), path.c_str());
        if (!there || truncate(path.c_str(), lengths[k]))
            fail("cannot take up the recording " + path + ": " + std::strerror(errno));
    }
}

void finish_recordings() {
    for (auto& recording : recordings()) {
        if (recording.written == 0) continue;
        append(recording);
        if (std::rename(part(recording).c_str(), result(recording.file).c_str()))
            fail("cannot write " + result(recording.file));
    }
}
}  // namespace engine
