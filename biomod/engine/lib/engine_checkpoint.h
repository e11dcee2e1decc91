// Checkpoints: all that changes in a program, on disk, so that a killed run can be taken up again.
//
// A program that resumes runs through main() as usual, except that the calls of run() that were over
// when the checkpoint was written do nothing. In the run() in which it was written, arrays get their
// values from it; what is derived from arrays (rows of synapses) is made again by the code that Brian2
// runs before a run; then structures of the engine (spikes on their way) get their contents.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "brianlib/dynamic_array.h"
#include "brianlib/engine_parking.h"
#include "brianlib/engine_recording.h"
#include "brianlib/engine_state.h"

namespace engine {

std::vector<EngineState>& arrays();

void write_count(std::ostream& out, uint64_t n);
uint64_t read_count(std::istream& in);
void check_count(const std::string& name, uint64_t found, uint64_t expected);

template <class T>
void write_values(std::ostream& out, const T* values, uint64_t n) {
    write_count(out, n);
    out.write(reinterpret_cast<const char*>(values), n * sizeof(T));
}

template <class T>
void read_values(std::istream& in, std::vector<T>& values) {
    values.resize(read_count(in));
    in.read(reinterpret_cast<char*>(values.data()), values.size() * sizeof(T));
}

// Not inline, and names not yet strings: there is a call for each array of a program.
// An array whose pointer is set when the program starts; some are never made.
template <class T>
__attribute__((noinline)) void keep(const char* name, T*& values, uint64_t size) {
    arrays().push_back({name,
                        [&values, size](std::ostream& out) {
                            write_values(out, values, values ? size : 0);
                        },
                        [&values, size, name](std::istream& in) {
                            check_count(name, read_count(in), values ? size : 0);
                            if (values) in.read(reinterpret_cast<char*>(values), size * sizeof(T));
                        }});
}

template <class T>
__attribute__((noinline)) void keep_one(const char* name, T& value) {
    arrays().push_back(
        {name, [&value](std::ostream& out) { write_values(out, &value, 1); },
         [&value, name](std::istream& in) {
             check_count(name, read_count(in), 1);
             in.read(reinterpret_cast<char*>(&value), sizeof value);
         }});
}

template <class T>
__attribute__((noinline)) void keep(const char* name, std::vector<T>& values) {
    arrays().push_back(
        {name,
         [&values](std::ostream& out) {
             const Parkable* on_disk = parkable(&values);
             if (!on_disk || on_disk->parked == 0)
                 return write_values(out, values.data(), values.size());
             write_count(out, on_disk->parked / sizeof(T));
             copy_parked(*on_disk, out);
         },
         [&values](std::istream& in) {
             read_values(in, values);
             replace_parked(&values);
         }});
}

template <class T>
__attribute__((noinline)) void keep(const char* name, DynamicArray2D<T>& values) {
    arrays().push_back({name,
                        [&values](std::ostream& out) {
                            const int m = values.m, n = values.n;
                            write_values(out, &m, 1);
                            write_values(out, &n, 1);
                            for (int row = 0; row < n; row++)
                                write_values(out, values(row).data(), values.m);
                        },
                        [&values](std::istream& in) {
                            std::vector<int> m, n;
                            read_values(in, m);
                            read_values(in, n);
                            values.resize(n.at(0), m.at(0));
                            std::vector<T> one;
                            for (int row = 0; row < n.at(0); row++) {
                                read_values(in, one);
                                for (int i = 0; i < m.at(0); i++) values(row, i) = one.at(i);
                            }
                        }});
}

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
