{# The engine's pathways in place of Brian2's queues of synapses. #}
{% macro cpp_file() %}
{% endmacro %}

{% macro h_file() %}
#ifndef _BRIAN_SYNAPSES_H
#define _BRIAN_SYNAPSES_H

#include "brianlib/engine_synapses.h"
// Brian2's other templates have these from its queue.
#include <iostream>
#include <map>
using namespace std;

#endif
{% endmacro %}
