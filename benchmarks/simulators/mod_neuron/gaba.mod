TITLE GABA-A receptors: rise and decay

NEURON {
    POINT_PROCESS Gaba
    NONSPECIFIC_CURRENT i
    RANGE g, tau_rise, tau_decay
    THREADSAFE
}
UNITS { (mV) = (millivolt) (nA) = (nanoamp) (uS) = (microsiemens) }
PARAMETER { g = 0.001 (uS)  tau_rise = 0.5 (ms)  tau_decay = 8 (ms)  E = -80 (mV) }
ASSIGNED { v (mV) i (nA) }
STATE { s x }
INITIAL { s = 0  x = 0 }
BREAKPOINT {
    SOLVE states METHOD cnexp
    i = g*x*(v - E)
}
DERIVATIVE states {
    s' = -s/tau_rise
    x' = -x/tau_decay + s
}
NET_RECEIVE(w) { s = s + w }
