#include "brianlib/engine_values.h"

#include "objects.h"
#include <fstream>
#include <iostream>

#include "brianlib/engine_arrays.h"

namespace brian {

std::string results_dir = "results/";  // or the argument --results_dir of the program

std::vector<RandomGenerator> _random_generators;

Network magicnetwork;

// Arrays
double * _array_defaultclock_dt;
const int _num__array_defaultclock_dt = _engine_integer(11);
double * _array_defaultclock_t;
const int _num__array_defaultclock_t = _engine_integer(12);
int64_t * _array_defaultclock_timestep;
const int _num__array_defaultclock_timestep = _engine_integer(13);
int32_t * _array_neurongroup_i;
const int _num__array_neurongroup_i = _engine_integer(14);
double * _array_neurongroup_y;
const int _num__array_neurongroup_y = _engine_integer(15);


decltype(defaultclock) defaultclock;


void set_variable_by_name(std::string name, std::string value)
{
    if (name == "neurongroup.y")
        return engine::set_array(name, _array_neurongroup_y, _num__array_neurongroup_y, value);
    std::cerr << "Cannot set unknown variable '" << name << "'." << std::endl;
    exit(1);
}
}

void _init_arrays()
{
    using namespace brian;
    engine::make_array(_array_defaultclock_dt, _engine_integer(16));
    engine::make_array(_array_defaultclock_t, _engine_integer(17));
    engine::make_array(_array_defaultclock_timestep, _engine_integer(18));
    engine::make_array(_array_neurongroup_i, _engine_integer(19));
    engine::make_array(_array_neurongroup_y, _engine_integer(20));
    engine::make_array(_array_neurongroup_i, _engine_integer(21));
    for (int i = 0; i < _engine_integer(22); i++) _array_neurongroup_i[i] = _engine_integer(23) + i;
    _random_generators.push_back(RandomGenerator());
}

void _load_arrays()
{
    using namespace brian;
}

void _write_arrays()
{
    using namespace brian;
    engine::write_array("_array_defaultclock_dt_1978099143", _array_defaultclock_dt, _num__array_defaultclock_dt);
    engine::write_array("_array_defaultclock_t_2669362164", _array_defaultclock_t, _num__array_defaultclock_t);
    engine::write_array("_array_defaultclock_timestep_144223508", _array_defaultclock_timestep, _num__array_defaultclock_timestep);
    engine::write_array("_array_neurongroup_i_2649026944", _array_neurongroup_i, _num__array_neurongroup_i);
    engine::write_array("_array_neurongroup_y_2152980964", _array_neurongroup_y, _num__array_neurongroup_y);
    std::ofstream info(results_dir + "last_run_info.txt");
    info << Network::_last_run_time << " " << Network::_last_run_completed_fraction << std::endl;
    engine::check_written(info, "last_run_info.txt");
}

void _dealloc_arrays()
{
    using namespace brian;
}

