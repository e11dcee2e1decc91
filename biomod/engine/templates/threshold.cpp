{# USES_VARIABLES { N } #}
{% extends 'common_group.cpp' %}
{% from '_blocks.cpp' import block %}

{% block maincode %}
    {{divisible}}
    // scalar code
    const int _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    {% set _eventspace = get_array_name(eventspace_variable) %}
    {{passes.statics|autoindent}}
    const int64_t _N = {{constant_or_scalar('N', variables['N'])}};
    const engine::Slice _cells = engine::cells(_N);
    int32_t* const _events = {{_eventspace}} + _cells.first;
    int32_t _count = 0;
    for (int64_t _first = _cells.first; _first < _cells.last; _first += _engine_block)
    {
{{block(passes)}}
        // Most blocks have no event.
        {{passes.real}} _any = 0;
        #pragma omp simd reduction(+ : _any)
        for (int _k = 0; _k < _size; _k++)
            _any += _fired[_k];
        if (_any == 0)
            continue;
        for (int _k = 0; _k < _size; _k++)
        {
            if (_fired[_k] == 0)
                continue;
            const int64_t _idx = _first + _k;
            _events[_count++] = _idx;
            {% if _uses_refractory %}
            {{not_refractory}}[_idx] = false;
            {{lastspike}}[_idx] = {{t}};
            {% endif %}
        }
    }
    engine::count_events(_cells, {{_eventspace}}, _N, _count);
{% endblock %}

{% block after_code %}
    {% set _eventspace = get_array_name(eventspace_variable) %}
    {{_eventspace}}[N] = 0;
{% endblock %}
