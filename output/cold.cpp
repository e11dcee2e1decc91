// neurongroup_group_variable_set_conditional_codeobject.cpp
#include "brianlib/engine_values.h"
#include "code_objects/neurongroup_group_variable_set_conditional_codeobject.h"
#include "objects.h"
#include "brianlib/common_math.h"
#include "brianlib/stdint_compat.h"
#include<cmath>
#include<ctime>
#include<iostream>
#include<fstream>
#include<climits>

#include "brianlib/engine_draws.h"
#include "brianlib/engine_phase.h"
#include "brianlib/engine_random.h"
#include "brianlib/engine_universal.h"

////// SUPPORT CODE ///////
namespace unit0 {
        

}

////// HASH DEFINES ///////



void _run_neurongroup_group_variable_set_conditional_codeobject()
{
    using namespace brian; using namespace unit0;


    ///// CONSTANTS ///////////
    const int64_t N = _engine_integer(0);
const int64_t x = _engine_integer(1);
const size_t _numy = _engine_integer(2);
    ///// POINTERS ////////////
        
    double*   _ptr_array_neurongroup_y = _array_neurongroup_y;


    // scalar code
    const size_t _vectorisation_idx = -1;
        

        

        

    const int _N = N;

    for (int _idx = 0; _idx < _N; _idx++)
    {
        const size_t _vectorisation_idx = _idx;
                
        const char _cond = true;

        if (_cond)
        {
                        
            double y;
            y = x;
            _ptr_array_neurongroup_y[_idx] = y;

        }

    }

}




// effects.cpp
#include "objects.h"
#include "brianlib/engine_effects.h"



// engine_objects.cpp
// What a checkpoint holds, and which arrays are streamed to disk.
#include <type_traits>

#include "brianlib/engine_checkpoint.h"
#include "brianlib/engine_random.h"
#include "objects.h"

static_assert(std::is_trivially_copyable<brian::RandomGenerator>::value, "it is saved as bytes");

void _engine_list_objects()
{
    using namespace brian;
    engine::keep_one("random key", engine::random_key);
    engine::keep("random numbers", _random_generators);
    engine::keep_one("time of magicnetwork", magicnetwork.t);
    engine::keep("_array_defaultclock_dt", _array_defaultclock_dt, _num__array_defaultclock_dt);
    engine::keep("_array_defaultclock_t", _array_defaultclock_t, _num__array_defaultclock_t);
    engine::keep("_array_defaultclock_timestep", _array_defaultclock_timestep, _num__array_defaultclock_timestep);
    engine::keep("_array_neurongroup_i", _array_neurongroup_i, _num__array_neurongroup_i);
    engine::keep("_array_neurongroup_y", _array_neurongroup_y, _num__array_neurongroup_y);
}


// main.cpp
#include "brianlib/engine_values.h"
#include <stdlib.h>
#include "objects.h"
#include <csignal>
#include <ctime>
#include <time.h>

#include "run.h"
#include "brianlib/common_math.h"

#include "code_objects/neurongroup_group_variable_set_conditional_codeobject.h"

#include "brianlib/engine_checkpoint.h"
#include "brianlib/engine_random.h"

#include <iostream>
#include <fstream>
#include <string>




void set_from_command_line(const std::vector<std::string> args)
{
    for (const auto& arg : args) {
		// Split into two parts
		size_t equal_sign = arg.find("=");
		auto name = arg.substr(0, equal_sign);
		auto value = arg.substr(equal_sign + 1, arg.length());
		brian::set_variable_by_name(name, value);
	}
}

void _int_handler(int signal_num) {
	if (Network::_globally_running && !Network::_globally_stopped) {
		Network::_globally_stopped = true;
	} else {
		std::signal(signal_num, SIG_DFL);
		std::raise(signal_num);
	}
}

int main(int argc, char **argv)
{
	std::signal(SIGINT, _int_handler);
	std::random_device _rd;
	std::vector<std::string> args(argv + 1, argv + argc);
	if (args.size() >=2 && args[0] == "--results_dir")
	{
		brian::results_dir = args[1];
		#ifdef DEBUG
		std::cout << "Setting results dir to '" << brian::results_dir << "'" << std::endl;
		#endif
		args.erase(args.begin(), args.begin()+2);
	}
        
    _engine_start();
    _engine_open(argc, argv);

	brian_start();
        
    _engine_list_objects();

	{
		using namespace brian;

		
                
        _array_defaultclock_dt[_engine_integer(3)] = _engine_real(4);
        _run_neurongroup_group_variable_set_conditional_codeobject();
        _array_defaultclock_t[_engine_integer(5)] = _engine_real(6);
        _array_defaultclock_timestep[_engine_integer(7)] = _engine_integer(8);
        engine::begin_run(true);
        magicnetwork.clear();
        magicnetwork.add(&defaultclock, NULL);
        if (!args.empty()) engine::fetch_parked();
        set_from_command_line(args);
        magicnetwork.run(_engine_real(9), NULL, _engine_real(10));

	}
        

	brian_end();
        
    _engine_close(Network::_last_run_completed_fraction > 1 - 1e-9);

	return 0;
}

// network.cpp

#include "network.h"
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <set>

#include "brianlib/engine_checkpoint.h"

#define Clock_epsilon 1e-14

double Network::_last_run_time = 0.0;
double Network::_last_run_completed_fraction = 0.0;
bool Network::_globally_stopped = false;
bool Network::_globally_running = false;

Network::Network() { t = 0.0; }

void Network::clear() { objects.clear(); }

void Network::add(Clock* clock, codeobj_func func) { objects.push_back(std::make_pair(clock, func)); }

void Network::run(const double duration, void (*report_func)(const double, const double, const double, const double), const double report_period)
{
    if (engine::run_is_over())
    {
        t += duration;
        return;
    }
    const auto start = std::chrono::steady_clock::now();
    t = engine::start_of_run(t);
    const double t_start = t;
    const double t_end = t + duration;
    double next_report_time = report_period;
    double elapsed = 0.0;
    bool did_break_early = false;

    std::vector<Clock*> clocks;
    std::vector<size_t> clock_of;
    for (const auto& object : objects)
    {
        size_t k = 0;
        while (k < clocks.size() && clocks[k] != object.first)
            k++;
        if (k == clocks.size())
            clocks.push_back(object.first);
        clock_of.push_back(k);
    }
    for (Clock* clock : clocks)
        clock->set_interval(t, t_end);
    engine::resume_here();
    if (report_func)
        report_func(0.0, 0.0, t_start, duration);

    std::vector<char> current(clocks.size());
    // The clock that is furthest behind, and those that stand at the same time.
    auto next = [&]() -> Clock* {
        if (clocks.empty())
            return nullptr;
        Clock* least = clocks[0];
        for (Clock* clock : clocks)
            if (clock->t[0] < least->t[0])
                least = clock;
        for (size_t k = 0; k < clocks.size(); k++)
            current[k] = std::fabs(clocks[k]->t[0] - least->t[0]) <= Clock_epsilon;
        return least;
    };

    _globally_running = true;
    _globally_stopped = false;
    Clock* clock = next();
    while (clock && clock->running() && !_globally_stopped)
    {
        t = clock->t[0];
        engine::between_steps(t);
        if (report_func && elapsed > next_report_time)
        {
            report_func(elapsed, (t - t_start) / duration, t_start, duration);
            next_report_time += report_period;
        }
        for (size_t i = 0; i < objects.size(); i++)
            if (current[clock_of[i]] && objects[i].second)
                objects[i].second();
        for (size_t k = 0; k < clocks.size(); k++)
            if (current[k])
                clocks[k]->tick();
        clock = next();
        elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    _globally_running = false;

    t = !did_break_early && !_globally_stopped ? t_end : clock->t[0];
    _last_run_time = elapsed;
    _last_run_completed_fraction = duration > 0 ? (t - t_start) / duration : 1.0;
    if (report_func)
        report_func(elapsed, _last_run_completed_fraction, t_start, duration);
}


#undef Clock_epsilon
// objects.cpp
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



// phases.cpp
#include "objects.h"
#include "brianlib/engine_phase.h"



// run.cpp
#include<stdlib.h>
#include "objects.h"
#include<ctime>
#include<random>

#include "code_objects/neurongroup_group_variable_set_conditional_codeobject.h"

#include "brianlib/engine_checkpoint.h"
#include "brianlib/engine_random.h"

void brian_start()
{
	_init_arrays();
	_load_arrays();
	// Initialize clocks (link timestep and dt to the respective arrays)
    brian::defaultclock.timestep = brian::_array_defaultclock_timestep;
    brian::defaultclock.dt = brian::_array_defaultclock_dt;
    brian::defaultclock.t = brian::_array_defaultclock_t;
}

void brian_end()
{
	_write_arrays();
	_dealloc_arrays();
}




// synapses_classes.cpp

