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
