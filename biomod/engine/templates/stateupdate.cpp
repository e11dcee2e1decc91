{# USES_VARIABLES { N } #}
{# ALLOWS_SCALAR_WRITE #}
{% extends 'common_group.cpp' %}
{% from '_blocks.cpp' import block %}

{% block maincode %}
    {{divisible}}
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    {{passes.statics|autoindent}}
    const int64_t _N = {{constant_or_scalar('N', variables['N'])}};
    const engine::Slice _cells = engine::cells(_N);
    for (int64_t _first = _cells.first; _first < _cells.last; _first += _engine_block)
    {
{{block(passes)}}
    }
    {% if check_interval and checked %}
    if (!engine::slice)
        _check_{{codeobj_name}}();
    {% endif %}
{% endblock %}

{% block extra_headers %}
{% if check_interval and checked %}
void _check_{{codeobj_name}}();
{% endif %}
{% endblock %}

{% block extra_functions_cpp %}
{% if check_interval and checked %}
void _check_{{codeobj_name}}()
{
    using namespace brian;
    if (({{engine_step}} + 1) % {{check_interval}})
        return;
    %CONSTANTS%
    {{pointers_lines|autoindent}}
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
