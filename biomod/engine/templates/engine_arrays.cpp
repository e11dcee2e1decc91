{# Brian2's objects.cpp: what there is once in a program, its arrays made, read and written by functions
   that are compiled once for all programs (lib/engine_arrays.h). Sizes are marks of data. #}
{% from 'objects.cpp' import h_file as _declarations with context %}
{% macro h_file() %}{{ _declarations() }}{% endmacro %}
{% macro cpp_file() %}
{% macro data(name) %}{{name}}.empty() ? 0 : &{{name}}[0], {{name}}.size(){% endmacro %}

#include "objects.h"
#include <fstream>
#include <iostream>

#include "brianlib/engine_arrays.h"

namespace brian {

std::string results_dir = "results/";  // or the argument --results_dir of the program

std::vector<RandomGenerator> _random_generators;

{% for net in networks | sort(attribute='name') %}
Network {{net.name}};
{% endfor %}

// Arrays
{% for var, name in array_specs | dictsort(by='value') if not var in dynamic_array_specs %}
{{c_data_type(var.dtype)}} * {{name}};
{# An array of two dimensions has columns here; nobody asks for its rows. #}
const int _num_{{name}} = %integer:{{var.size[1] if var in dynamic_array_2d_specs else var.size}}%;
{% endfor %}
{% for var, name in dynamic_array_specs | dictsort(by='value') %}
std::vector<{{c_data_type(var.dtype)}}> {{name}};
{% endfor %}
{% for var, name in dynamic_array_2d_specs | dictsort(by='value') %}
DynamicArray2D<{{c_data_type(var.dtype)}}> {{name}};
{% endfor %}
{% for (name, dtype_spec, N, filename) in static_array_specs | sort if not declared(name) %}
{{dtype_spec}} * {{name}};
const int _num_{{name}} = %integer:{{N}}%;
{% endfor %}

{% for S in synapses | sort(attribute='name') %}
{% for path in S._pathways | sort(attribute='name') %}
SynapticPathway {{path.name}}({{dynamic_array_specs[path.synapse_sources]}}, %integer:{{path.source.start}}%, %integer:{{path.source.stop}}%);
{% endfor %}
{% endfor %}

{% for clock in clocks | sort(attribute='name') %}
Clock {{clock.name}};
{% endfor %}

{% for codeobj in profiled_codeobjects | sort %}
double {{codeobj}}_profiling_info = 0.0;
{% endfor %}

void set_variable_by_name(std::string name, std::string value)
{
    {% for var, array in array_specs | dictsort(by='value') if not (var in dynamic_array_specs or var in dynamic_array_2d_specs or var.read_only) %}
    if (name == "{{var.owner.name}}.{{var.name}}")
        return engine::set_array(name, {{get_array_name(var)}}, _num_{{array}}, value);
    {% endfor %}
    {% for var, array in dynamic_array_specs | dictsort(by='value') if not var.read_only %}
    if (name == "{{var.owner.name}}.{{var.name}}")
        return engine::set_array(name, {{data(array)}}, value);
    {% endfor %}
    {% for var, array in timed_arrays | dictsort(by='value') %}
    if (name == "{{array}}.values")
        return engine::set_array(name, {{array}}_values, %integer:{{var.values.size}}%, value);
    {% endfor %}
    std::cerr << "Cannot set unknown variable '" << name << "'." << std::endl;
    exit(1);
}
}

void _init_arrays()
{
    using namespace brian;
    {% for var, name in zero_arrays | sort(attribute='1') %}
    engine::make_array({{name}}, %integer:{{var.size}}%);
    {% endfor %}
    {% for var, name, start in arange_arrays | sort(attribute='1') %}
    engine::make_array({{name}}, %integer:{{var.size}}%);
    for (int i = 0; i < %integer:{{var.size}}%; i++) {{name}}[i] = %integer:{{start}}% + i;
    {% endfor %}
    {% for (name, dtype_spec, N, filename) in static_array_specs | sort %}
    engine::make_array({{name}}, %integer:{{N}}%);
    {% endfor %}
    _random_generators.push_back(RandomGenerator());
}

void _load_arrays()
{
    using namespace brian;
    {% for (name, dtype_spec, N, filename) in static_array_specs | sort %}
    engine::read_array("{{name}}", &{{name}}[0], %integer:{{N}}%);
    {% endfor %}
}

void _write_arrays()
{
    using namespace brian;
    {% for var, name in array_specs | dictsort(by='value') if not (var in dynamic_array_specs or var in dynamic_array_2d_specs) %}
    engine::write_array("{{get_array_filename(var)}}", {{name}}, _num_{{name}});
    {% endfor %}
    {% for var, name in dynamic_array_specs | dictsort(by='value') %}
    engine::write_array("{{get_array_filename(var)}}", {{data(name)}});
    {% endfor %}
    {% for var, name in dynamic_array_2d_specs | dictsort(by='value') %}
    engine::write_array("{{get_array_filename(var)}}", {{name}});
    {% endfor %}
    {% if profiled_codeobjects %}
    std::ofstream profile(results_dir + "profiling_info.txt");
    {% for codeobj in profiled_codeobjects | sort %}
    profile << "{{codeobj}}\t" << {{codeobj}}_profiling_info << std::endl;
    {% endfor %}
    engine::check_written(profile, "profiling_info.txt");
    {% endif %}
    std::ofstream info(results_dir + "last_run_info.txt");
    info << Network::_last_run_time << " " << Network::_last_run_completed_fraction << std::endl;
    engine::check_written(info, "last_run_info.txt");
}

void _dealloc_arrays()
{
    using namespace brian;
    {% for (name, dtype_spec, N, filename) in static_array_specs | sort if not name in dynamic_array_specs.values() %}
    delete [] {{name}};
    {{name}} = 0;
    {% endfor %}
}

{% endmacro %}
