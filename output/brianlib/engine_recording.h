// Arrays of monitors that go to disk while the program runs, so that their length costs no memory.
//
// What is in memory is appended to FILE.part in the folder of results whenever it has grown to a
// chunk; at the end of the program FILE.part takes the place of FILE, which is the file that Brian2
// reads. What never grew to a chunk is written by Brian2's own code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "brianlib/engine_access.h"

namespace engine {

struct Recording {
    std::string file;
    Vector vector;
    Table table;  // one of the two
    uint64_t written = 0;      // bytes in FILE.part
    bool synchronised = true;  // they have reached the disk
    uint64_t bytes() const { return vector.of ? vector.bytes() : table.bytes(); }  // in memory
};
std::vector<Recording>& recordings();
void record(const char* file, Vector values);
void record(const char* file, Table values);
template <class T> void record(const char* file, std::vector<T>& values) { record(file, access(values)); }
template <class T> void record(const char* file, DynamicArray2D<T>& values) { record(file, access(values)); }

void start_recordings();         // of a new run: nothing is on disk
void spill_recordings();         // those that have grown to a chunk go to disk
void synchronise_recordings();   // have what was written reach the disk
void cut_recordings(const std::vector<uint64_t>& lengths);  // back to what they were at a checkpoint
void finish_recordings();        // FILE.part becomes FILE
uint64_t length_on_disk(const Recording& recording);

std::string result(const std::string& file);  // path in the folder of results
void synchronise(const std::string& path);    // have a file or folder reach the disk
[[noreturn]] void fail(const std::string& message);
}  // namespace engine
