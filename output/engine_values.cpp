// The table of a program's numbers, read once.
#include "brianlib/engine_values.h"

#include <cstdlib>
#include <fstream>
#include <iostream>

namespace engine {

static const Value* table = nullptr;

static void load() {
    const char* name = "static_arrays/_engine_values";
    std::ifstream file(name, std::ios::binary | std::ios::ate);
    const std::streamoff size = file ? (std::streamoff)file.tellg() : 0;
    Value* const read = new Value[size / sizeof(Value) + 1];
    file.seekg(0);
    file.read(reinterpret_cast<char*>(read), size);
    if (!file || size % sizeof(Value)) {
        std::cerr << "The numbers of this program cannot be read from " << name << std::endl;
        std::exit(1);
    }
    table = read;
}

const Value* values() {
    if (!table) load();
    return table;
}

}  // namespace engine
