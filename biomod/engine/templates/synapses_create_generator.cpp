{# Synapses from a condition or a generator expression, as Brian2 makes them, but with the cells of the
   outer loop divided among threads, each with random numbers of its own.

   For j='k+i for k in range(0, N_post, 2) if k+i < N_post', "j" is the result index ("_post_idx" the
   result index array), "i" the outer index, "k" the inner variable. Each piece of code stands in
   braces of its own, since the pieces declare the same names; what the next one needs of it is copied
   into a variable outside. #}
{# USES_VARIABLES { _synaptic_pre, _synaptic_post, rand,
                    N_incoming, N_outgoing, N,
                    N_pre, N_post, _source_offset, _target_offset } #}
{# WRITES_TO_READ_ONLY_VARIABLES { _synaptic_pre, _synaptic_post, N_incoming, N_outgoing, N } #}
{% extends 'common_synapses.cpp' %}

{% block extra_headers %}
{{ super() }}
#include <map>
#include <set>
#include "brianlib/engine_connect.h"
{% endblock %}

{% block maincode %}
    {% set _outside %}
            if (_{{result_index}} < 0 || _{{result_index}} >= (long)_{{result_index_size}})
            {
                {% if skip_if_invalid %}
                continue;
                {% else %}
                _made.error = "tried to create synapse to neuron {{result_index}}=" + std::to_string(_{{result_index}}) +
                              " outside range 0 to " + std::to_string((long)_{{result_index_size}} - 1);
                return;
                {% endif %}
            }
    {% endset %}
    const size_t _N_pre = {{constant_or_scalar('N_pre', variables['N_pre'])}};
    const size_t _N_post = {{constant_or_scalar('N_post', variables['N_post'])}};
    {{_dynamic_N_incoming}}.resize(_N_post + _target_offset);
    {{_dynamic_N_outgoing}}.resize(_N_pre + _source_offset);

    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code['setup_iterator']|autoindent}}
    {{scalar_code['generator_expr']|autoindent}}
    {{scalar_code['create_cond']|autoindent}}
    {{scalar_code['update']|autoindent}}

    const auto _make = [&](const int64_t _{{outer_index}}, engine::Pairs& _made)
    {
        {% if parallel %}
        engine::Sequence _sequence({{stream}}u, _{{outer_index}});
        const auto _rand = [&](int) { return _sequence.uniform(); };
        const auto _randn = [&](int) { return _sequence.normal(); };
        {% endif %}
        size_t _raw_pre_idx, _raw_post_idx;
        bool __cond, _cond;
        _raw{{outer_index_array}} = _{{outer_index}} + {{outer_index_offset}};
        {% if not result_index_condition %}
        {
            {{vector_code['create_cond']|autoindent}}
            __cond = _cond;
        }
        _cond = __cond;
        if (!_cond)
            return;
        {% endif %}
        long _uiter_low, _uiter_high, _uiter_step;
        {% if iterator_func == 'sample' %}
        long _uiter_size;
        double _uiter_p;
        {% endif %}
        {
            {{vector_code['setup_iterator']|autoindent}}
            _uiter_low = _iter_low;
            _uiter_high = _iter_high;
            _uiter_step = _iter_step;
            {% if iterator_func == 'sample' and iterator_kwds['sample_size'] == 'fixed' %}
            _uiter_size = _iter_size;
            {% elif iterator_func == 'sample' %}
            _uiter_p = _iter_p;
            {% endif %}
        }
        {% if iterator_func == 'range' %}
        for (long {{inner_variable}} = _uiter_low; {{inner_variable}} < _uiter_high; {{inner_variable}} += _uiter_step)
        {
        {% else %}
        // The number of values that the inner variable may have.
        const long _span = _uiter_step > 0 ? _uiter_high - _uiter_low : _uiter_low - _uiter_high;
        const long _n_total = _span > 0 ? (_span - 1) / std::labs(_uiter_step) + 1 : 0;
        {% if iterator_kwds['sample_size'] == 'fixed' %}
        if (_uiter_size > _n_total)
        {
            {% if skip_if_invalid %}
            _uiter_size = _n_total;
            {% else %}
            _made.error = "Requested sample size " + std::to_string(_uiter_size) + " is bigger than the population size " +
                          std::to_string(_n_total) + ".";
            return;
            {% endif %}
        }
        else if (_uiter_size < 0)
        {
            {% if not skip_if_invalid %}
            _made.error = "Requested sample size " + std::to_string(_uiter_size) + " is negative.";
            {% endif %}
            return;
        }
        // Few of many are drawn until they are all different, and sorted; many are selected on the way
        // through all (Knuth, The Art of Computer Programming 2, 3.4.2 S).
        std::set<long> _chosen;
        const bool _few = _uiter_size <= 0.06 * _n_total;
        while (_few && (long)_chosen.size() < _uiter_size)
            _chosen.insert((long)(_rand(_vectorisation_idx) * _n_total));
        auto _next = _chosen.begin();
        long _n_selected = 0;
        for (long _n_seen = 0; _n_selected < _uiter_size; _n_seen++)
        {
            long _position = _n_seen;
            if (_few)
                _position = *_next++;
            else if ((_n_total - _n_seen) * _rand(_vectorisation_idx) >= _uiter_size - _n_selected)
                continue;
            _n_selected++;
        {% else %}
        if (_uiter_p <= 0)
            return;
        // Rare ones: the number of those left out follows a geometric distribution.
        const bool _jump = _uiter_p < 0.25;
        const double _per_log = 1.0 / std::log1p(-_uiter_p);
        for (long _position = 0; _position < _n_total; _position++)
        {
            if (_jump)
            {
                const double _left_out = {{'_sequence.log_uniform()' if parallel else 'std::log(_rand(_vectorisation_idx))'}} * _per_log;
                if (_left_out >= _n_total - _position)
                    break;
                _position += (long)_left_out;
            }
            else if (_rand(_vectorisation_idx) >= _uiter_p)
                continue;
        {% endif %}
            const long {{inner_variable}} = _uiter_low + _position * _uiter_step;
        {% endif %}
            long __{{result_index}}, _{{result_index}}, {{outer_index_array}}, _{{outer_index_array}};
            {
                {{vector_code['generator_expr']|autoindent}}
                __{{result_index}} = _{{result_index}};
                _{{outer_index_array}} = {{outer_index_array}};
            }
            _{{result_index}} = __{{result_index}};
            {{outer_index_array}} = _{{outer_index_array}};
            _raw{{result_index_array}} = _{{result_index}} + {{result_index_offset}};
            {% if result_index_condition %}
            {
                {% if result_index_used %}
                {# The condition could index outside of the arrays. #}
{{_outside}}
                {% endif %}
                {{vector_code['create_cond']|autoindent}}
                __cond = _cond;
            }
            _cond = __cond;
            {% endif %}
            {% if if_expression != 'True' %}
            if (!_cond)
                continue;
            {% endif %}
            {% if not result_index_used %}
{{_outside}}
            {% endif %}
            {{vector_code['update']|autoindent}}
            _made.add(_pre_idx, _post_idx, _n);
        }
    };
    const size_t _before = {{_dynamic__synaptic_pre}}.size();
    engine::connect(_{{outer_index_size}}, {{'true' if parallel else 'false'}}, _make, {{_dynamic__synaptic_pre}}, {{_dynamic__synaptic_post}});

    const int32_t newsize = {{_dynamic__synaptic_pre}}.size();
    engine::count_synapses({{_dynamic__synaptic_pre}}, _before, {{_dynamic_N_outgoing}});
    engine::count_synapses({{_dynamic__synaptic_post}}, _before, {{_dynamic_N_incoming}});
    {% for varname in owner._registered_variables | variables_to_array_names(access_data=False) | sort%}
    {{varname}}.resize(newsize);
    {% endfor %}
    {{N}} = newsize;

    {% if multisynaptic_index %}
    // The number of each synapse among those of the same pair.
    std::map<std::pair<int32_t, int32_t>, int32_t> _count;
    for (int32_t _i = 0; _i < newsize; _i++)
        {{get_array_name(variables[multisynaptic_index], access_data=False)}}[_i] =
            _count[{ {{_dynamic__synaptic_pre}}[_i], {{_dynamic__synaptic_post}}[_i] }]++;
    {% endif %}
{% endblock %}
