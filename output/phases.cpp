#include "objects.h"
#include "brianlib/engine_phase.h"

