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
namespace {
        

}

////// HASH DEFINES ///////



void _run_neurongroup_group_variable_set_conditional_codeobject()
{
    using namespace brian;


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


