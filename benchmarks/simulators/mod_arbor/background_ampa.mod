: Background of 200 sources on AMPA receptors. Arbor's mechanisms draw normal numbers only, so the
: Poisson train is replaced by its diffusion approximation: same mean, same variance.
NEURON {
    POINT_PROCESS background_ampa
    NONSPECIFIC_CURRENT i
    RANGE g, tau, rate, w
}
UNITS { (mV) = (millivolt) (nA) = (nanoamp) (uS) = (microsiemens) }
PARAMETER {
    g = 0.0006 (uS)
    tau = 2 (ms)
    rate = 0.8
    w = 1
}
STATE { s }
WHITE_NOISE { noise }
INITIAL { s = rate*w*tau }
BREAKPOINT {
    SOLVE states METHOD stochastic
    i = g*s*v
}
DERIVATIVE states { s' = -s/tau + w*rate + w*sqrt(rate)*noise }
