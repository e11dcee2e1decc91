// What the engine's own structures keep between two steps, for checkpoints.
#pragma once

#include <functional>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

struct EngineState { std::string name; std::function<void(std::ostream&)> save; std::function<void(std::istream&)> load; };
std::vector<EngineState>& engine_states();  // defined in engine_runtime.cpp
