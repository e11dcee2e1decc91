{# The cells or synapses of an assignment, in blocks for which random numbers are drawn first
   (biomod/engine/draws.py). `index` is the index of the cell, `code` what is done to it. #}
{% macro blocks(drawn, size, index, code) %}
    {{drawn.statics|autoindent}}
    const uint32_t _times = engine::assignments++;
    engine::in_blocks({{size}}, {{'true' if drawn.independent else 'false'}}, [=](const int64_t _first, const int _size)
    {
        {% for type, name in drawn.buffers %}
        alignas(64) {{type}} {{name}}[_engine_block];
        {% endfor %}
        {% for pass in drawn.loops %}
        {% if pass.once %}
        {{pass.lines|autoindent}}
        {% else %}
        for (int _k = 0; _k < _size; _k++)
        {
            const int64_t _idx = {{index}};
            const size_t _vectorisation_idx = _idx;
            {{pass.lines|autoindent}}
        }
        {% endif %}
        {% endfor %}
        {% if drawn.independent %}
        #pragma omp simd
        {% endif %}
        for (int _k = 0; _k < _size; _k++)
        {
            const int64_t _idx = {{index}};
            const size_t _vectorisation_idx = _idx;
            {{drawn.values|autoindent}}
{{code}}
        }
    });
{% endmacro %}
