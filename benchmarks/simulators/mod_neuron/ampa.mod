TITLE AMPA receptors: decay only

NEURON {
    POINT_PROCESS Ampa
    NONSPECIFIC_CURRENT i
    RANGE g, tau
    THREADSAFE
}
UNITS { (mV) = (millivolt) (nA) = (nanoamp) (uS) = (microsiemens) }
PARAMETER { g = 0.0006 (uS)  tau = 2 (ms) }
ASSIGNED { v (mV) i (nA) }
STATE { s }
INITIAL { s = 0 }
BREAKPOINT {
    SOLVE states METHOD cnexp
    i = g*s*v
}
DERIVATIVE states { s' = -s/tau }
NET_RECEIVE(w) { s = s + w }
