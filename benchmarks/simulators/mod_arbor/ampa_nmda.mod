: AMPA and NMDA receptors opened by the same synapses
NEURON {
    POINT_PROCESS ampa_nmda
    NONSPECIFIC_CURRENT i
    RANGE g_ampa, g_nmda, tau_ampa
}
UNITS { (mV) = (millivolt) (nA) = (nanoamp) (uS) = (microsiemens) }
PARAMETER {
    g_ampa = 0.00035 (uS)
    g_nmda = 0.00013659098993 (uS)
    tau_ampa = 3 (ms)
    tau_rise = 3 (ms)
    tau_decay = 60 (ms)
}
STATE { a r d }
INITIAL {
    a = 0
    r = 0
    d = 0
}
BREAKPOINT {
    SOLVE states METHOD cnexp
    LOCAL x
    x = (d - r)/(1/tau_rise - 1/tau_decay)
    i = (g_ampa*a + g_nmda*x/(1 + exp(-0.062*v)/3.57))*v
}
DERIVATIVE states {
    a' = -a/tau_ampa
    r' = -r/tau_rise
    d' = -d/tau_decay
}
NET_RECEIVE(weight) {
    a = a + weight
    r = r + weight
    d = d + weight
}
