// What most generated files include, for the compiler to read once for all programs (biomod/programs.py).
#pragma once

#include <algorithm>
#include <climits>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "brianlib/clocks.h"
#include "brianlib/common_math.h"
#include "brianlib/dynamic_array.h"
#include "brianlib/engine_arrays.h"
#include "brianlib/engine_checkpoint.h"
#include "brianlib/engine_connect.h"
#include "brianlib/engine_phase.h"
#include "brianlib/engine_random.h"
#include "brianlib/engine_synapses.h"
#include "brianlib/engine_universal.h"
#include "brianlib/stdint_compat.h"
