{# USES_VARIABLES { N } #}
{# ALLOWS_SCALAR_WRITE #}
{% extends 'common_group.cpp' %}
{% from '_blocks.cpp' import block %}

{% block maincode %}
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    {{passes.statics|autoindent}}
    const int64_t _N = {{constant_or_scalar('N', variables['N'])}};
    {% if passes.parallel %}
    #pragma omp parallel for schedule(static) if (engine::threads > 1 && _N > _engine_block)
    {% endif %}
    for (int64_t _first = 0; _first < _N; _first += _engine_block)
    {
{{block(passes)}}
    }
    {% if check_interval and checked %}

    static int64_t _calls = 0;
    if (++_calls % {{check_interval}} == 0)
    {
        {% for array, group, variable, size in checked %}
        _engine_check_finite({{array}}, {{size}}, "{{group}}", "{{variable}}", {{engine_time}}, results_dir);
        {% endfor %}
    }
    {% endif %}
{% endblock %}

{% block after_code %}
{% if check_interval and checked %}
    {% for array, group, variable, size in checked %}
    _engine_check_finite({{array}}, {{size}}, "{{group}}", "{{variable}}", {{engine_time}}, results_dir);
    {% endfor %}
{% else %}
    // EMPTY_CODE_BLOCK
{% endif %}
{% endblock %}
