TITLE Sodium, potassium and M currents of the reference circuit (engine_circuit.py, CHANNELS)

NEURON {
    SUFFIX channels
    NONSPECIFIC_CURRENT i
    RANGE gNa, gK, gM
    THREADSAFE
}
UNITS { (mV) = (millivolt) (S) = (siemens) (mA) = (milliamp) }
PARAMETER {
    gNa = 0.05 (S/cm2)
    gK = 0.01 (S/cm2)
    gM = 0.0002 (S/cm2)
    ENa = 50 (mV)
    EK = -90 (mV)
    VT = -54 (mV)
}
ASSIGNED { v (mV) i (mA/cm2) }
STATE { m h n p }
INITIAL { m = 0.02  h = 0.95  n = 0.05  p = 0.04 }
BREAKPOINT {
    SOLVE states METHOD cnexp
    i = gNa*m*m*m*h*(v - ENa) + gK*n*n*n*n*(v - EK) + gM*p*(v - EK)
}
FUNCTION exprel(x) {
    if (fabs(x) < 1e-6) { exprel = 1 + x/2 } else { exprel = (exp(x) - 1)/x }
}
DERIVATIVE states {
    LOCAL am, bm, ah, bh, an, bn, pinf, taup
    am = 0.32*4/exprel(-(v - VT - 13)/4)
    bm = 0.28*5/exprel((v - VT - 40)/5)
    ah = 0.128*exp(-(v - VT - 17)/18)
    bh = 4/(1 + exp(-(v - VT - 40)/5))
    an = 0.032*5/exprel(-(v - VT - 15)/5)
    bn = 0.5*exp(-(v - VT - 10)/40)
    pinf = 1/(1 + exp(-(v + 35)/10))
    taup = 400/(3.3*exp((v + 35)/20) + exp(-(v + 35)/20))
    m' = am*(1 - m) - bm*m
    h' = ah*(1 - h) - bh*h
    n' = an*(1 - n) - bn*n
    p' = (pinf - p)/taup
}
