{# USES_VARIABLES { _synaptic_pre } #}
{% extends 'common_synapses.cpp' %}

{% block maincode %}
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    {{pathway.name}}.deliver([&](const size_t _idx)
    {
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
    });
{% endblock %}
