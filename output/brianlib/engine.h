// Branch-free functions for loops that the compiler is to vectorise, and the check of the state.
//
// exp, expm1 and exprel are written out here instead of taken from the C library, because then they
// are the same in the vectorised loop, in its remainder and on every machine, and need no
// -ffast-math. Largest error found over the whole range: 1.1 ulp (exp), 2.3 ulp (expm1), 2.1 ulp (exprel).
#ifndef BIOMOD_ENGINE_H
#define BIOMOD_ENGINE_H

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>
#include <string>
#include <type_traits>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#define ENGINE_INLINE static inline __attribute__((always_inline))

// Functions of the C library that glibc also has for vectors.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__)
#if __GLIBC_PREREQ(2, 22)
#define ENGINE_VECTOR_FUNCTION __attribute__((simd("notinbranch")))
extern "C" {
ENGINE_VECTOR_FUNCTION double log(double) noexcept;
ENGINE_VECTOR_FUNCTION double sin(double) noexcept;
ENGINE_VECTOR_FUNCTION double cos(double) noexcept;
ENGINE_VECTOR_FUNCTION double pow(double, double) noexcept;
ENGINE_VECTOR_FUNCTION float logf(float) noexcept;
ENGINE_VECTOR_FUNCTION float sinf(float) noexcept;
ENGINE_VECTOR_FUNCTION float cosf(float) noexcept;
ENGINE_VECTOR_FUNCTION float powf(float, float) noexcept;
}
#endif
#endif

// Cells that are advanced together: what one loop computes for the next stays in the cache.
static const int _engine_block = 256;

// Bytes of a vector.
#if defined(__AVX512F__)
#define ENGINE_VECTOR 64
#elif defined(__AVX__)
#define ENGINE_VECTOR 32
#else
#define ENGINE_VECTOR 16
#endif
// A number of cells, up to whole vectors.
template <typename T> ENGINE_INLINE constexpr int _engine_whole(int n) {
    constexpr int width = ENGINE_VECTOR / sizeof(T);
    return (n + width - 1) / width * width;
}

namespace engine {

template <typename T> struct Format;
template <> struct Format<double> {
    typedef int64_t bits;
    static constexpr int mantissa = 52;
    static constexpr bits bias = 1023;
    // Below the first, e^x is taken to be 0; above the second, infinite.
    static constexpr double lowest = -708.3, highest = 709.4;
    static constexpr double log2_e = 0x1.71547652b82fep+0;
    static constexpr double ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;
    // Added to a number, it leaves the nearest integer in the lowest bits.
    static constexpr double rounder = 0x1.8p52;
};
template <> struct Format<float> {
    typedef int32_t bits;
    static constexpr int mantissa = 23;
    static constexpr bits bias = 127;
    static constexpr float lowest = -87.3f, highest = 88.3f;
    static constexpr float log2_e = 0x1.715476p+0f;
    static constexpr float ln2_high = 0x1.62e400p-1f, ln2_low = 0x1.7f7d1cp-20f;
    static constexpr float rounder = 0x1.8p23f;
};

// e^r - 1 for |r| <= ln(2) / 2: polynomials fitted at Chebyshev nodes.  In double precision
// in pairs of coefficients (Estrin), which leaves shorter chains of dependent operations.
ENGINE_INLINE double small_expm1(double r) {
    const double z = r * r, z2 = z * z;
    const double a = r * 0x1.5555555555556p-3 + 0x1.0000000000001p-1;
    const double b = r * 0x1.11111111109b3p-7 + 0x1.5555555553d63p-5;
    const double c = r * 0x1.a01a01a7c41d5p-13 + 0x1.6c16c1788bd90p-10;
    const double d = r * 0x1.71de0dae63bb3p-19 + 0x1.a019b90d2ae7ap-16;
    const double e = r * 0x1.af38a9b0ec855p-26 + 0x1.289185613a3d6p-22;
    const double low = b * z + a, high = d * z + c;
    const double q = (e * z2 + high) * z2 + low;
    return q * z + r;
}
ENGINE_INLINE float small_expm1(float r) {
    float q = 0x1.6d1109p-10f;
    q = q * r + 0x1.120b6ep-7f;
    q = q * r + 0x1.555519p-5f;
    q = q * r + 0x1.5554dcp-3f;
    q = q * r + 0.5f;
    return q * (r * r) + r;
}

// The parts of e^x = scale * (1 + rest), where the scale is representable.
template <typename T> struct Parts { T scale, rest; };
template <typename T> ENGINE_INLINE Parts<T> parts(T x) {
    typedef Format<T> F;
    typedef typename F::bits Bits;
    const T shifted = x * F::log2_e + F::rounder;
    const T k = shifted - F::rounder;
    const T r = (x - k * F::ln2_high) - k * F::ln2_low;
    Bits pattern;
    __builtin_memcpy(&pattern, &shifted, sizeof pattern);
    pattern = (Bits)(((typename std::make_unsigned<Bits>::type)pattern << F::mantissa) +
                     (F::bias << F::mantissa));
    T scale;
    __builtin_memcpy(&scale, &pattern, sizeof scale);
    return {scale, small_expm1(r)};
}

// Parts of several numbers at once, step by step: those of one are a chain of some 20 operations that
// wait for each other, and a processor looks ahead too little to find another one.
template <int n, typename T> struct Several { T scale[n], rest[n]; };
#define ENGINE_EACH _Pragma("GCC unroll 8") for (int j = 0; j < n; j++)
template <int n> ENGINE_INLINE void small_expm1s(const double (&r)[n], double (&y)[n]) {
    double a[n], b[n], c[n], d[n], e[n], z[n], z2[n];
    ENGINE_EACH z[j] = r[j] * r[j];
    ENGINE_EACH a[j] = r[j] * 0x1.5555555555556p-3 + 0x1.0000000000001p-1;
    ENGINE_EACH b[j] = r[j] * 0x1.11111111109b3p-7 + 0x1.5555555553d63p-5;
    ENGINE_EACH z2[j] = z[j] * z[j];
    ENGINE_EACH c[j] = r[j] * 0x1.a01a01a7c41d5p-13 + 0x1.6c16c1788bd90p-10;
    ENGINE_EACH d[j] = r[j] * 0x1.71de0dae63bb3p-19 + 0x1.a019b90d2ae7ap-16;
    ENGINE_EACH e[j] = r[j] * 0x1.af38a9b0ec855p-26 + 0x1.289185613a3d6p-22;
    ENGINE_EACH a[j] = b[j] * z[j] + a[j];
    ENGINE_EACH c[j] = d[j] * z[j] + c[j];
    ENGINE_EACH c[j] = e[j] * z2[j] + c[j];
    ENGINE_EACH a[j] = c[j] * z2[j] + a[j];
    ENGINE_EACH y[j] = a[j] * z[j] + r[j];
}
template <int n> ENGINE_INLINE void small_expm1s(const float (&r)[n], float (&y)[n]) {
    float q[n];
    ENGINE_EACH q[j] = 0x1.6d1109p-10f * r[j] + 0x1.120b6ep-7f;
    ENGINE_EACH q[j] = q[j] * r[j] + 0x1.555519p-5f;
    ENGINE_EACH q[j] = q[j] * r[j] + 0x1.5554dcp-3f;
    ENGINE_EACH q[j] = q[j] * r[j] + 0.5f;
    ENGINE_EACH y[j] = q[j] * (r[j] * r[j]) + r[j];
}
template <int n, typename T> ENGINE_INLINE Several<n, T> parts(const T (&x)[n]) {
    typedef Format<T> F;
    typedef typename F::bits Bits;
    T shifted[n], k[n], r[n];
    Several<n, T> found;
    ENGINE_EACH shifted[j] = x[j] * F::log2_e + F::rounder;
    ENGINE_EACH k[j] = shifted[j] - F::rounder;
    ENGINE_EACH r[j] = x[j] - k[j] * F::ln2_high;
    ENGINE_EACH r[j] = r[j] - k[j] * F::ln2_low;
    small_expm1s(r, found.rest);
    ENGINE_EACH {
        Bits pattern;
        __builtin_memcpy(&pattern, &shifted[j], sizeof pattern);
        pattern = (Bits)(((typename std::make_unsigned<Bits>::type)pattern << F::mantissa) +
                         (F::bias << F::mantissa));
        __builtin_memcpy(&found.scale[j], &pattern, sizeof pattern);
    }
    return found;
}

// The functions of x from the parts of e^x.
template <typename T> ENGINE_INLINE T exp_of(T x, T scale, T rest) {
    T y = scale * rest + scale;
    y = x < Format<T>::lowest ? T(0) : y;
    return x > Format<T>::highest ? std::numeric_limits<T>::infinity() : y;
}
template <typename T> ENGINE_INLINE T expm1_of(T x, T scale, T rest) {
    T y = scale * rest + (scale - T(1));
    y = x < Format<T>::lowest ? T(-1) : y;
    return x > Format<T>::highest ? std::numeric_limits<T>::infinity() : y;
}
template <typename T> ENGINE_INLINE T exprel_of(T x, T scale, T rest) {
    T y = scale * rest + (scale - T(1));
    y = x < Format<T>::lowest ? T(-1) : y;
    y = y / x;
    y = x == T(0) ? T(1) : y;
    return x > Format<T>::highest ? std::numeric_limits<T>::infinity() : y;
}
template <typename T> ENGINE_INLINE T exp_(T x) {
    const Parts<T> p = parts(x);
    return exp_of(x, p.scale, p.rest);
}
template <typename T> ENGINE_INLINE T expm1_(T x) {
    const Parts<T> p = parts(x);
    return expm1_of(x, p.scale, p.rest);
}
template <typename T> ENGINE_INLINE T exprel_(T x) {
    const Parts<T> p = parts(x);
    return exprel_of(x, p.scale, p.rest);
}
template <typename T> ENGINE_INLINE T tanh_(T x) {
    const T e = expm1_(T(-2) * (x < T(0) ? -x : x));
    const T positive = -e / (T(2) + e);
    return x < T(0) ? -positive : positive;
}

// float stays float; everything else (integers, booleans) is computed in double.
template <typename T>
using Real = typename std::conditional<std::is_same<T, float>::value, float, double>::type;

// Whether two values are the same, bit for bit.
template <typename T> ENGINE_INLINE bool same(const T& x, const T& y) {
    return !std::memcmp(&x, &y, sizeof x);
}

// Whether a value is infinite or NaN, by its exponent: no compiler flag can assume it away.
template <typename T> ENGINE_INLINE bool nonfinite(T x) {
    typedef typename Format<T>::bits Bits;
    Bits bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    const Bits exponent = (2 * Format<T>::bias + 1) << Format<T>::mantissa;
    return (bits & exponent) == exponent;
}

// Which of the first n numbers, at most 64, are negative, as bits; room for 64 is read.
template <typename T> ENGINE_INLINE uint64_t negative(const T* x, int n) {
    uint64_t found = 0;
#if defined(__AVX__)
    typedef T Vector __attribute__((vector_size(32)));
    constexpr int width = 32 / sizeof(T);
    for (int k = 0; k < 64; k += width) {
        Vector some;
        __builtin_memcpy(&some, x + k, sizeof some);
        uint32_t signs;
        if constexpr (width == 8) signs = __builtin_ia32_movmskps256(some);
        else signs = __builtin_ia32_movmskpd256(some);
        found |= (uint64_t)signs << k;
    }
#else
    for (int k = 0; k < 64; k++) found |= (uint64_t)(x[k] < 0) << k;
#endif
    return n < 64 ? found & (((uint64_t)1 << n) - 1) : found;
}
ENGINE_INLINE int lowest(uint64_t bits) { return __builtin_ctzll(bits); }

}  // namespace engine

// Two ways to call each function: `_engine_exp` is written into the loop; `_engine_exp_call` is a
// function with vector arguments, which keeps loops with many calls short enough to be compiled.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define ENGINE_OUT_OF_LINE static __attribute__((noinline, const, simd("notinbranch")))
#else
#define ENGINE_OUT_OF_LINE ENGINE_INLINE
#endif
#define ENGINE_FUNCTION(name)                                                                \
    template <typename T> ENGINE_INLINE engine::Real<T> _engine_##name(T x) {                \
        return engine::name##_((engine::Real<T>)x);                                          \
    }                                                                                        \
    ENGINE_OUT_OF_LINE double _engine_##name##_far(double x) { return engine::name##_(x); }  \
    ENGINE_OUT_OF_LINE float _engine_##name##_far(float x) { return engine::name##_(x); }    \
    template <typename T> ENGINE_INLINE engine::Real<T> _engine_##name##_call(T x) {         \
        return _engine_##name##_far((engine::Real<T>)x);                                     \
    }
ENGINE_FUNCTION(exp)
ENGINE_FUNCTION(expm1)
ENGINE_FUNCTION(exprel)
ENGINE_FUNCTION(tanh)

// The parts of several exponentials.
template <typename T, typename... X>
ENGINE_INLINE engine::Several<sizeof...(X), T> _engine_parts(X... x) {
    const T all[] = {x...};
    return engine::parts(all);
}

// exprel(x) and its inverse where e = exp(x) is known to a few rounding errors; near 0, where e - 1
// would magnify them, by the series.
ENGINE_INLINE double _engine_exprel_series(double x) {
    double q = 1.0 / 5040;
    q = q * x + 1.0 / 720;
    q = q * x + 1.0 / 120;
    q = q * x + 1.0 / 24;
    q = q * x + 1.0 / 6;
    q = q * x + 0.5;
    return q * x + 1.0;
}
static const double _engine_exprel_small = 0.03;
ENGINE_INLINE double _engine_exprel_of(double x, double e) {
    const bool small = std::fabs(x) < _engine_exprel_small;
    const double top = small ? _engine_exprel_series(x) : e - 1.0;
    const double bottom = small ? 1.0 : x;
    return top / bottom;
}
ENGINE_INLINE double _engine_exprel_inverse_of(double x, double e) {
    const bool small = std::fabs(x) < _engine_exprel_small;
    const double bottom = small ? _engine_exprel_series(x) : e - 1.0;
    const double top = small ? 1.0 : x;
    return top / bottom;
}

// x to a small whole power, by squaring.
template <int n, typename T> ENGINE_INLINE engine::Real<T> _engine_power(T value) {
    const engine::Real<T> x = value;
    if constexpr (n == 0)
        return 1;
    else if constexpr (n == 1)
        return x;
    else if constexpr (n % 2)
        return x * _engine_power<n - 1>(x);
    else {
        const engine::Real<T> root = _engine_power<n / 2>(x);
        return root * root;
    }
}

// The number of a time step, as Brian2 rounds it; of type double, since AVX2 has no conversion to
// integers of 64 bit. Exact up to 2^53 steps.
ENGINE_INLINE double _engine_timestep(double t, double dt) {
    return std::trunc((t + 1e-3 * dt) / dt);
}

// Values too small for the normal format cost a hundred times the time of others.
static inline void _engine_flush_denormals() {
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

// End the run if a state is no longer finite; says where and when.
template <typename T>
static void _engine_check_finite(const T* values, int64_t n, const char* group, const char* variable,
                                 double t, const std::string& results) {
    int64_t found = 0;
    for (int64_t i = 0; i < n; i++) found += engine::nonfinite(values[i]);
    if (!found) return;
    int64_t index = 0;
    while (!engine::nonfinite(values[index])) index++;
    const std::string shown = std::isnan(values[index]) ? "not a number" : "infinite";
    const std::string message = std::string(group) + "." + variable + "[" + std::to_string(index) +
                                "] is " + shown + " at t = " + std::to_string(t * 1e3) + " ms (" +
                                std::to_string(found) + " of " + std::to_string(n) + " values)";
    std::cerr << message << std::endl;
    std::ofstream(results + "error.txt") << message;
    std::exit(3);
}

#endif
