{# Brian2's template for G.v["condition"] = "expression", with random numbers drawn ahead. #}
{# USES_VARIABLES { N } #}
{% extends 'common_group.cpp' %}
{% from '_drawn.cpp' import blocks %}

{% block extra_headers %}
{{ super() }}
#include "brianlib/engine_draws.h"
{% endblock %}

{% block maincode %}
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{numbers|autoindent}}
    {{scalar_code['condition']|autoindent}}
    {{scalar_code['statement']|autoindent}}
    const int _N = {{constant_or_scalar('N', variables['N'])}};

    {% set _code %}
        {{vector_code['condition']|autoindent}}
        if (_cond)
        {
            {{vector_code['statement']|autoindent}}
        }
    {% endset %}
    {% if drawn %}
{{blocks(drawn, '_N', '_first + _k', _code)}}
    {% else %}
    for (int _idx = 0; _idx < _N; _idx++)
    {
        const size_t _vectorisation_idx = _idx;
{{_code}}
    }
    {% endif %}
{% endblock %}
