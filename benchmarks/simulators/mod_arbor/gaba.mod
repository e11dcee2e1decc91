: GABA-A receptors: rise and decay
NEURON {
    POINT_PROCESS gaba
    NONSPECIFIC_CURRENT i
    RANGE g, tau_rise, tau_decay
}
UNITS { (mV) = (millivolt) (nA) = (nanoamp) (uS) = (microsiemens) }
PARAMETER {
    g = 0.001 (uS)
    tau_rise = 0.5 (ms)
    tau_decay = 8 (ms)
    E = -80 (mV)
}
STATE { r d }
INITIAL {
    r = 0
    d = 0
}
BREAKPOINT {
    SOLVE states METHOD cnexp
    i = g*(d - r)/(1/tau_rise - 1/tau_decay)*(v - E)
}
DERIVATIVE states {
    r' = -r/tau_rise
    d' = -d/tau_decay
}
NET_RECEIVE(weight) {
    r = r + weight
    d = d + weight
}
