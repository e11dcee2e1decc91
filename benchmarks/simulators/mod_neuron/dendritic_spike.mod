TITLE Dendrify's dendritic sodium spike: two conductances of fixed duration after a threshold

NEURON {
    POINT_PROCESS DendriticSpike
    NONSPECIFIC_CURRENT i
    RANGE g_rise, g_fall, level, start, conductance, reversal
    THREADSAFE
}
UNITS { (mV) = (millivolt) (nA) = (nanoamp) (uS) = (microsiemens) }
PARAMETER {
    level = -35 (mV)
    g_rise = 0.012 (uS)
    g_fall = 0.014 (uS)
    duration_rise = 0.6 (ms)
    duration_fall = 2.4 (ms)
    offset_fall = 0.2 (ms)
    refractory = 5 (ms)
    E_rise = 70 (mV)
    E_fall = -89 (mV)
}
ASSIGNED { v (mV) i (nA) start (ms) conductance (uS) reversal (uS mV) }
INITIAL { start = -1e9  conductance = 0  reversal = 0 }
BREAKPOINT {
    SOLVE advance METHOD after_cvode
    i = conductance*v - reversal
}
PROCEDURE advance() {
    LOCAL since
    if (v >= level && t >= start + refractory) { start = t }
    since = t - start
    conductance = 0
    reversal = 0
    if (since <= duration_rise) { conductance = g_rise  reversal = g_rise*E_rise }
    if (since >= offset_fall && since <= offset_fall + duration_fall) {
        conductance = conductance + g_fall
        reversal = reversal + g_fall*E_fall
    }
}
