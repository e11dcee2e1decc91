{# The engine's pathways in place of Brian2's queues of synapses. #}
{% macro cpp_file() %}
{% endmacro %}

{% macro h_file() %}
#ifndef _BRIAN_SYNAPSES_H
#define _BRIAN_SYNAPSES_H

#include <iostream>
#include "brianlib/engine_synapses.h"
// Brian2's templates of monitors write endl: they have it from its queue.
using namespace std;

#endif
{% endmacro %}
