{# USES_VARIABLES { N } #}
{# ALLOWS_SCALAR_WRITE #}
{% extends 'common_group.cpp' %}

{# `passes` comes from the generator: see biomod/engine/generator.py #}
{% block maincode %}
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    const int64_t _N = {{constant_or_scalar('N', variables['N'])}};
    for (int64_t _first = 0; _first < _N; _first += _engine_block)
    {
        const int _size = (int)(_N - _first < _engine_block ? _N - _first : _engine_block);
        {% for type, name in passes.buffers %}
        alignas(64) {{type}} {{name}}[_engine_block];
        {% endfor %}
        {% for pass in passes.loops %}
        {% if pass.simd %}
        #pragma omp simd
        for (int _k = 0; _k < {{'_engine_whole<' + passes.real + '>(_size)' if passes.padded else '_size'}}; _k++)
        {% else %}
        for (int _k = 0; _k < _size; _k++)
        {% endif %}
        {
            const int64_t _idx = _first + _k;
            {% if not pass.simd %}
            const size_t _vectorisation_idx = _idx;
            {% endif %}
            {{pass.lines|autoindent}}
        }
        {% endfor %}
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
