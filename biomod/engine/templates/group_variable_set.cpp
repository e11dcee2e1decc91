{# Brian2's template for G.v[index] = "expression", with random numbers drawn ahead. #}
{# USES_VARIABLES { _group_idx } #}
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
    {{scalar_code|autoindent}}

    {% if drawn %}
    {% set _code %}
            {{vector_code|autoindent}}
    {% endset %}
{{blocks(drawn, '_num_group_idx', _group_idx + '[_first + _k]', _code)}}
    {% else %}
    for (int _idx_group_idx = 0; _idx_group_idx < (int)_num_group_idx; _idx_group_idx++)
    {
        const size_t _idx = {{_group_idx}}[_idx_group_idx];
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
    }
    {% endif %}
{% endblock %}
