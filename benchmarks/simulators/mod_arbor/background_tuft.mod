: Background of the tuft, as a diffusion approximation (see background_ampa.mod), modulated at 1 Hz.
: `c` and `d` rotate once a second: Arbor's mechanisms know no time.
NEURON {
    POINT_PROCESS background_tuft
    NONSPECIFIC_CURRENT i
    RANGE g_ampa, g_nmda, rate, w_ampa, w_nmda
}
UNITS { (mV) = (millivolt) (nA) = (nanoamp) (uS) = (microsiemens) }
PARAMETER {
    g_ampa = 0.0006 (uS)
    g_nmda = 0.00023415598274 (uS)
    tau_ampa = 3 (ms)
    tau_rise = 3 (ms)
    tau_decay = 60 (ms)
    rate = 0.6
    w_ampa = 0.7
    w_nmda = 0.7
}
STATE { a s x c d }
WHITE_NOISE { ampa nmda }
INITIAL {
    a = rate*w_ampa*tau_ampa
    s = rate*w_nmda*tau_rise
    x = rate*w_nmda*tau_rise*tau_decay
    c = 1
    d = 0
}
BREAKPOINT {
    SOLVE states METHOD stochastic
    i = (1 + 0.2*d)*(g_ampa*a + g_nmda*x/(1 + exp(-0.062*v)/3.57))*v
}
DERIVATIVE states {
    a' = -a/tau_ampa + w_ampa*rate + w_ampa*sqrt(rate)*ampa
    s' = -s/tau_rise + w_nmda*rate + w_nmda*sqrt(rate)*nmda
    x' = -x/tau_decay + s
    c' = -0.006283185307179586*d
    d' = 0.006283185307179586*c
}
