// The table of a program's numbers, read once.
#include "brianlib/engine_values.h"

#include <cstdlib>
#include <fstream>
#include <iostream>

namespace engine {

const Value* values = nullptr;

const Value* load_values() {
    const char* name = "static_arrays/_engine_values";
    std::ifstream file(name, std::ios::binary | std::ios::ate);
    const std::streamoff size = file ? (std::streamoff)file.tellg() : 0;
    Value* table = new Value[size / sizeof(Value) + 1];
    file.seekg(0);
    file.read(reinterpret_cast<char*>(table), size);
    if (!file || size % sizeof(Value)) {
        std::cerr << "The numbers of this program cannot be read from " << name << std::endl;
        std::exit(1);
    }
    return values = table;
}

}  // namespace engine
