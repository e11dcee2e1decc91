{# The loops of `passes` (biomod/engine/generator.py) over one block of cells. #}
{% macro block(passes) %}
        const int _size = (int)(_N - _first < _engine_block ? _N - _first : _engine_block);
        {% for type, name in passes.buffers %}
        alignas(64) {{type}} {{name}}[_engine_block];
        {% endfor %}
        {% for pass in passes.loops %}
        {% if pass.once %}
        {{pass.lines|autoindent}}
        {% else %}
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
        {% endif %}
        {% endfor %}
{% endmacro %}
