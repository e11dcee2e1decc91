TITLE AMPA and NMDA receptors opened by the same synapses

NEURON {
    POINT_PROCESS AmpaNmda
    NONSPECIFIC_CURRENT i
    RANGE g_ampa, g_nmda, tau_ampa
    THREADSAFE
}
UNITS { (mV) = (millivolt) (nA) = (nanoamp) (uS) = (microsiemens) }
PARAMETER {
    g_ampa = 0.00035 (uS)
    g_nmda = 0.00013659098993 (uS)
    tau_ampa = 3 (ms)
    tau_rise = 3 (ms)
    tau_decay = 60 (ms)
}
ASSIGNED { v (mV) i (nA) }
STATE { a s x }
INITIAL { a = 0  s = 0  x = 0 }
BREAKPOINT {
    SOLVE states METHOD cnexp
    i = (g_ampa*a + g_nmda*x/(1 + exp(-0.062*v)/3.57))*v
}
DERIVATIVE states {
    a' = -a/tau_ampa
    s' = -s/tau_rise
    x' = -x/tau_decay + s
}
NET_RECEIVE(w) { a = a + w  s = s + w }
