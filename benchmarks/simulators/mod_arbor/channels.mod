: Sodium, potassium and M currents of the reference circuit (engine_circuit.py, CHANNELS)
NEURON {
    SUFFIX channels
    NONSPECIFIC_CURRENT i
    RANGE gNa, gK, gM
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
STATE { m h n p }
INITIAL {
    m = 0.02
    h = 0.95
    n = 0.05
    p = 0.04
}
BREAKPOINT {
    SOLVE states METHOD cnexp
    LOCAL g, n2
    n2 = n*n
    g = gNa*m*m*m*h
    i = g*(v - ENa) + (gK*n2*n2 + gM*p)*(v - EK)
}
DERIVATIVE states {
    LOCAL am, bm, ah, bh, an, bn, pinf, rp, e
    am = 0.32*4*exprelr(-(v - VT - 13)/4)
    bm = 0.28*5*exprelr((v - VT - 40)/5)
    ah = 0.128*exp(-(v - VT - 17)/18)
    bh = 4/(1 + exp(-(v - VT - 40)/5))
    an = 0.032*5*exprelr(-(v - VT - 15)/5)
    bn = 0.5*exp(-(v - VT - 10)/40)
    e = exp((v + 35)/20)
    pinf = 1/(1 + exp(-(v + 35)/10))
    rp = (3.3*e + 1/e)/400
    m' = am - (am + bm)*m
    h' = ah - (ah + bh)*h
    n' = an - (an + bn)*n
    p' = (pinf - p)*rp
}
