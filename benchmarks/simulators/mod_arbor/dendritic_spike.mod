: Dendrify's dendritic sodium spike. `since` is the time since the last one (ms). Arbor's mechanisms
: cannot set a state at a threshold; at a rate of 2/dt (40/ms) modcc's rational step of cnexp takes
: it to 1/40 ms. Else it is 0.0001/ms, since cnexp divides by it.
NEURON {
    POINT_PROCESS dendritic_spike
    NONSPECIFIC_CURRENT i
    RANGE g_rise, g_fall, back
}
UNITS { (mV) = (millivolt) (nA) = (nanoamp) (uS) = (microsiemens) }
PARAMETER {
    level = -35 (mV)
    slow = 0.0001
    g_rise = 0.012 (uS)
    g_fall = 0.014 (uS)
    E_rise = 70 (mV)
    E_fall = -89 (mV)
}
ASSIGNED { back }
STATE { since }
INITIAL {
    since = 10
    back = slow
}
BREAKPOINT {
    SOLVE states METHOD cnexp
    LOCAL rising, falling
    back = slow
    if (v >= level) { if (since >= 5) { back = 40 } }
    rising = 0
    falling = 0
    if (since <= 0.6) { rising = g_rise }
    if (since >= 0.2) { if (since <= 2.6) { falling = g_fall } }
    i = rising*(v - E_rise) + falling*(v - E_fall)
}
DERIVATIVE states { since' = 1 - back*since }
