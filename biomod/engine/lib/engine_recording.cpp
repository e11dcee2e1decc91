// Recordings on disk; see the header.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include <fcntl.h>
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

static std::string part(const Recording& recording) { return result(recording.file + ".part"); }

static void append(Recording& recording) {
    const uint64_t more = recording.bytes();
    if (more == 0) return;
    const auto mode = recording.written ? std::ios::app : std::ios::trunc;
    std::ofstream out(part(recording), std::ios::binary | std::ios::out | mode);
    recording.take(out);
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
    std::error_code none;
    const auto length = std::filesystem::file_size(part(recording), none);
    if (!none) return length;
    const auto final_length = std::filesystem::file_size(result(recording.file), none);
    return none ? 0 : final_length;
}

void cut_recordings(const std::vector<uint64_t>& lengths) {
    std::error_code error;
    for (size_t k = 0; k < lengths.size(); k++) {
        Recording& recording = recordings()[k];
        const std::string path = part(recording);
        recording.written = lengths[k];
        if (lengths[k] == 0) {
            std::remove(path.c_str());
            continue;
        }
        if (!std::filesystem::exists(path))
            std::filesystem::rename(result(recording.file), path, error);
        if (!error) std::filesystem::resize_file(path, lengths[k], error);
        if (error) fail("cannot take up the recording " + path + ": " + error.message());
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
