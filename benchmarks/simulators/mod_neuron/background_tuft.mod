TITLE Background of the tuft: 200 sources on AMPA and 200 on NMDA receptors, modulated at 1 Hz

NEURON {
    POINT_PROCESS BackgroundTuft
    NONSPECIFIC_CURRENT i
    RANGE g_ampa, g_nmda, rate, w_ampa, w_nmda, a, s, x, none, decay_ampa, decay_rise, decay_nmda
    RANGE gain, modulation, changes
    RANDOM numbers
    THREADSAFE
}
UNITS { (mV) = (millivolt) (nA) = (nanoamp) (uS) = (microsiemens) }
PARAMETER {
    g_ampa = 0.0006 (uS)
    g_nmda = 0.00023415598274 (uS)
    tau_ampa = 3 (ms)
    tau_rise = 3 (ms)
    tau_decay = 60 (ms)
    rate = 3 (/s)
    w_ampa = 0.7
    w_nmda = 0.7
    sources = 200
}
ASSIGNED {
    v (mV) dt (ms) i (nA) a s x none decay_ampa decay_rise decay_nmda gain modulation changes (ms)
}
INITIAL {
    a = 0
    s = 0
    x = 0
    none = (1 - rate*dt*1e-3)^sources
    decay_ampa = exp(-dt/tau_ampa)
    decay_rise = exp(-dt/tau_rise)
    decay_nmda = exp(-dt/tau_decay)
    gain = (decay_nmda - decay_rise)/(1/tau_rise - 1/tau_decay)
    modulation = 1
    changes = 0
}
BREAKPOINT {
    SOLVE advance METHOD after_cvode
    i = modulation*(g_ampa*a + g_nmda*x/(1 + exp(-0.062*v)/3.57))*v
}
FUNCTION openings() {
    LOCAL u, k, part
    u = random_uniform(numbers)
    part = none
    k = 0
    while (u > part && k < 30) {
        u = u - part
        part = part*(sources - k)/(k + 1)*rate*dt*1e-3/(1 - rate*dt*1e-3)
        k = k + 1
    }
    openings = k
}
PROCEDURE advance() {
    if (t >= changes) {
        modulation = 1 + 0.2*sin(0.006283185307179586*t)
        changes = changes + 10
    }
    a = a*decay_ampa + w_ampa*openings()
    x = x*decay_nmda + s*gain
    s = s*decay_rise + w_nmda*openings()
}
