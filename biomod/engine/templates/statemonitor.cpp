{# Brian2's, but rows that were recorded earlier may be on disk: N counts them, the arrays do not, and
   each array has its own number of rows in memory. #}
{# USES_VARIABLES { t, _clock_t, _indices, N } #}
{# WRITES_TO_READ_ONLY_VARIABLES { t, N } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    {{_dynamic_t}}.push_back({{_clock_t}});
    {% for varname, var in _recorded_variables | dictsort %}
    const int _row_{{varname}} = {{get_array_name(var, access_data=False)}}.n;
    {{get_array_name(var, access_data=False)}}.resize((int)(_row_{{varname}} + 1), (int)_num_indices);
    {% endfor %}

    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    for (int _i = 0; _i < (int)_num_indices; _i++)
    {
        const size_t _idx = {{_indices}}[_i];
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}

        {% for varname, var in _recorded_variables | dictsort %}
        {{get_array_name(var, access_data=False)}}(_row_{{varname}}, _i) = _to_record_{{varname}};
        {% endfor %}
    }

    {{N}}++;
{% endblock %}
