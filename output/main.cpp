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