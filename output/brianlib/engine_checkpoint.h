// Checkpoints: all that changes in a program, on disk, so that a killed run can be taken up again.
//
// A program that resumes runs through main() as usual, except that the calls of run() that were over
// when the checkpoint was written do nothing. In the run() in which it was written, arrays get their
// values from it; what is derived from arrays (rows of synapses) is made again by the code that Brian2
// runs before a run; then structures of the engine (spikes on their way) get their contents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "brianlib/engine_access.h"
#include "brianlib/engine_parking.h"
#include "brianlib/engine_recording.h"

namespace engine {

// What a checkpoint holds. An array whose pointer is set when the program starts; some are never made.
void keep_array(const char* name, void** values, size_t width, uint64_t size);
void keep_bytes(const char* name, void* value, size_t bytes);
void keep_vector(const char* name, Vector values);
void keep_table(const char* name, Table values);

template <class T> void keep(const char* name, T*& values, uint64_t size) {
    keep_array(name, (void**)&values, sizeof(T), size);
}
template <class T> void keep_one(const char* name, T& value) { keep_bytes(name, &value, sizeof value); }
template <class T> void keep(const char* name, std::vector<T>& values) { keep_vector(name, access(values)); }
template <class T> void keep(const char* name, DynamicArray2D<T>& values) { keep_table(name, access(values)); }

// For main(), around what Brian2 runs before and after a run; a part is prepared anew in each run.
void before_run(const std::string& part, void (*function)());
void after_run(void (*function)());

// For Network::run, in this order.
bool run_is_over();             // it was when the checkpoint to resume from was written
double start_of_run(double t);  // when this run began
void resume_here();             // take the state from the checkpoint, if it was written in this run
void between_steps(double t);   // recordings to disk; a checkpoint, when one is due
}  // namespace engine

void _engine_open(int argc, char** argv);  // before anything else
void _engine_list_objects();               // what there is in this program (generated)
void _engine_close(bool whole);            // after the results are written
