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
        for (int _start = 0; _start < _size; _start += 64)
            for (uint64_t _left = engine::negative(_fired + _start, _size - _start); _left; _left &= _left - 1)
            {
                const int64_t _idx = _first + _start + engine::lowest(_left);
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
