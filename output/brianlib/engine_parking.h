// Arrays of synapses that nothing needs while a network runs: their values wait on disk.
//
// Arrays go to FILE.part in the folder of results as soon as all that fills them is done, unless those in
// memory take little; then they go when nothing needs them any more. Pathways take them on loan, to copy
// what synapses do into their own order (engine_synapses.h), and release them. One that was changed on
// the way goes to disk when all have released it. After the last run FILE.part takes the place of FILE,
// which is the file that Brian2 reads; after others the array is read back.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "brianlib/engine_access.h"

namespace engine {

extern bool last_run;  // nothing but the writing of results comes after the run that goes on

struct Parkable {
    Vector vector;
    std::string file;
    int users = -1;       // that have not released it in this run; negative if it has to stay
    uint64_t parked = 0;  // bytes on disk; 0 if the values are in memory
};
Parkable* parkable(const void* values);
void add_parkable(const char* file, Vector values);
template <class T> void parkable(const char* file, std::vector<T>& values) {
    add_parkable(file, access(values));
}

// For main(): nothing needs an array before the run. Before a run: it is the last; so many users will
// release an array. After a run that is not the last, arrays are read back; at the end, files get
// their final names.
void park(const void* values);
void begin_run(bool last);
void expect(const void* values, int users);
void fetch_parked();
void finish_parked();

// The values in memory while the loan lasts.
class Loan {
    const Parkable* const lent;

  public:
    explicit Loan(const void* values);
    ~Loan();
    Loan(const Loan&) = delete;
};
void release(const void* values);
void fetch(const void* values);        // back into memory
void replace_parked(const void* values);  // others are in memory
template <class T> size_t size(const std::vector<T>& values) {
    const Parkable* const found = parkable(&values);
    return found && found->parked ? found->parked / sizeof(T) : values.size();
}
void copy_parked(const Parkable& parkable, std::ostream& to);  // the values on disk
}  // namespace engine
