#ifndef _BRIAN_SYNAPSES_H
#define _BRIAN_SYNAPSES_H

#include "brianlib/engine_synapses.h"
// Brian2's other templates have these from its queue.
#include <iostream>
#include <map>
using namespace std;

#endif
