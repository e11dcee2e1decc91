TITLE Background of 200 sources on AMPA receptors, drawn once a step

NEURON {
    POINT_PROCESS BackgroundAmpa
    NONSPECIFIC_CURRENT i
    RANGE g, tau, rate, w, s, none, decay
    RANDOM numbers
    THREADSAFE
}
UNITS { (mV) = (millivolt) (nA) = (nanoamp) (uS) = (microsiemens) }
PARAMETER { g = 0.0006 (uS)  tau = 2 (ms)  rate = 4 (/s)  w = 1  sources = 200 }
ASSIGNED { v (mV) dt (ms) i (nA) s none decay }
INITIAL {
    s = 0
    none = (1 - rate*dt*1e-3)^sources
    decay = exp(-dt/tau)
}
BREAKPOINT {
    SOLVE advance METHOD after_cvode
    i = g*s*v
}
PROCEDURE advance() {
    LOCAL u, k, part
    s = s*decay
    u = random_uniform(numbers)
    part = none
    k = 0
    while (u > part && k < 30) {
        u = u - part
        part = part*(sources - k)/(k + 1)*rate*dt*1e-3/(1 - rate*dt*1e-3)
        k = k + 1
    }
    s = s + w*k
}
