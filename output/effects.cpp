#include "objects.h"
#include "brianlib/engine_effects.h"

