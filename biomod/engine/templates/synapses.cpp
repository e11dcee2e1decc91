{# Where synapses cannot change, `_idx` is a place in columns in the order of the rows, which have the
   names of the arrays (biomod/engine/pathways.py). #}
{# USES_VARIABLES { _synaptic_pre } #}
{% extends 'common_synapses.cpp' %}

{% block maincode %}
    {{effect}}
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    {
        %COLUMNS%
        {{pathway.name}}.%DELIVER%([&](const size_t _idx)
        {
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
        });
    }
{% endblock %}
