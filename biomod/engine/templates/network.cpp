{# Brian2's network with less to do between two steps: no set of clocks is searched for each object,
   and elapsed time is that of the wall, since processor time adds up over threads. Between steps,
   recordings and checkpoints are written. #}
{% macro cpp_file() %}

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
    const auto elapsed = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    t = engine::start_of_run(t);
    const double t_start = t;
    const double t_end = t + duration;
    double next_report_time = report_period;
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
        if (report_func && elapsed() > next_report_time)
        {
            report_func(elapsed(), (t - t_start) / duration, t_start, duration);
            next_report_time += report_period;
        }
        for (size_t i = 0; i < objects.size(); i++)
            if (current[clock_of[i]] && objects[i].second)
                objects[i].second();
        for (size_t k = 0; k < clocks.size(); k++)
            if (current[k])
                clocks[k]->tick();
        clock = next();
        {% if maximum_run_time is not none %}
        if (elapsed() > {{maximum_run_time}})
        {
            did_break_early = true;
            break;
        }
        {% endif %}
    }
    _globally_running = false;

    t = !did_break_early && !_globally_stopped ? t_end : clock->t[0];
    _last_run_time = elapsed();
    _last_run_completed_fraction = duration > 0 ? (t - t_start) / duration : 1.0;
    if (report_func)
        report_func(_last_run_time, _last_run_completed_fraction, t_start, duration);
}

{% endmacro %}

{% macro h_file() %}

#ifndef _BRIAN_NETWORK_H
#define _BRIAN_NETWORK_H

#include <utility>
#include <vector>
#include "brianlib/clocks.h"

typedef void (*codeobj_func)();

class Network
{
public:
    std::vector<std::pair<Clock*, codeobj_func>> objects;
    double t;
    static double _last_run_time;
    static double _last_run_completed_fraction;
    static bool _globally_stopped;
    static bool _globally_running;

    Network();
    void clear();
    void add(Clock* clock, codeobj_func func);
    void run(const double duration, void (*report_func)(const double, const double, const double, const double), const double report_period);
};

#endif

{% endmacro %}
