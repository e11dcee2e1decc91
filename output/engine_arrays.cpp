// Arrays in files; see the header.
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "brianlib/engine_arrays.h"
#include "brianlib/engine_recording.h"

namespace engine {

void read_bytes(const char* name, void* values, size_t bytes) {
    std::ifstream in(std::string("static_arrays/") + name, std::ios::binary);
    in.read((char*)values, bytes);
    if (!in) fail(std::string("cannot read static_arrays/") + name);
}

void check_written(std::ostream& out, const char* file) {
    out.flush();
    if (!out) fail("cannot write " + result(file) + "; is the disk full?");
}

// What was in the file before is overwritten where it is, and only what is left of it cut off: to free
// and allocate its blocks on disk anew takes longer than all else.
void write_bytes(const char* file, const void* values, size_t bytes, bool append) {
    const std::string path = result(file);
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : 0);
    const int descriptor = open(path.c_str(), flags, 0666);
    size_t done = 0;
    while (descriptor >= 0 && done < bytes) {
        const ssize_t more = write(descriptor, (const char*)values + done, bytes - done);
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) break;
        done += more;
    }
    struct stat now;
    bool whole = descriptor >= 0 && done == bytes && !fstat(descriptor, &now);
    if (whole && !append && now.st_size != (off_t)bytes) whole = !ftruncate(descriptor, bytes);
    if (descriptor >= 0) whole = !close(descriptor) && whole;
    if (!whole) fail("cannot write " + path + "; is the disk full?");
}

// The number in each of n places of so many bytes.
template <class T>
static void fill(void* values, size_t n, T number) {
    for (size_t i = 0; i < n; i++) std::memcpy((char*)values + i * sizeof(T), &number, sizeof(T));
}

void set_values(const std::string& name, void* values, size_t n, size_t width, bool real,
                const std::string& text) {
    const bool flag = text == "true" || text == "True";
    if (flag || text == "false" || text == "False")
        return set_values(name, values, n, width, real, flag ? "1" : "0");
    if (text[0] == '-' || (text[0] >= '0' && text[0] <= '9')) {
        const double number = std::atof(text.c_str());
        const long whole = std::atol(text.c_str());
        if (real && width == 8) fill(values, n, number);
        else if (real) fill(values, n, (float)number);
        else if (width == 8) fill(values, n, (int64_t)whole);
        else if (width == 4) fill(values, n, (int32_t)whole);
        else fill(values, n, (char)whole);
        return;
    }
    std::ifstream in(text, std::ios::binary | std::ios::ate);
    const std::streamoff size = in ? (std::streamoff)in.tellg() : -1;
    if (size != (std::streamoff)(n * width)) {
        std::cerr << "Error reading '" << text << "' for " << name << ": file size " << size
                  << " does not match expected size " << n * width << std::endl;
        return;
    }
    in.seekg(0);
    in.read((char*)values, size);
}
}  // namespace engine
