"""Power spectra and their peaks: a rhythm is found where it is, and none where there is none."""

import math

import numpy as np
import pytest

import analysis


@pytest.mark.parametrize("frequency_hz", [8.0, 40.0, 90.0])
def test_a_modulated_population_peaks_at_its_frequency(table, modulated, frequency_hz):
    spikes = table({"PC": modulated(200, 10.0, 2000.0, frequency_hz)}, 2000.0)
    assert analysis.peak_frequency(spikes, "PC") == pytest.approx(frequency_hz, abs=1.0)


def test_independent_poisson_trains_have_the_power_of_theory(table, poisson):
    spikes = table({"PC": poisson(50, 20.0, 60_000.0)}, 60_000.0)
    spectrum = analysis.power_spectrum(spikes, "PC")
    assert spectrum.attrs["poisson_power"] == pytest.approx(2.0 * 20.0 / 50.0, rel=0.02)
    assert spectrum["power"][2:-1].mean() == pytest.approx(
        spectrum.attrs["poisson_power"], rel=0.03
    )


def test_noise_has_a_peak_no_more_often_than_alpha_says(table, poisson):
    found = [
        analysis.peak_frequency(
            table({"PC": poisson(50, 20.0, 1000.0, seed=seed)}, 1000.0), "PC", alpha=0.05
        )
        for seed in range(100)
    ]
    # binomial with p = 0.05: more than 12 of 100 has probability 0.002
    assert np.isfinite(found).sum() <= 12


def test_without_alpha_the_highest_peak_is_taken_in_any_case(table, poisson):
    spikes = table({"PC": poisson(50, 20.0, 1000.0)}, 1000.0)
    assert math.isnan(analysis.peak_frequency(spikes, "PC"))
    assert math.isfinite(analysis.peak_frequency(spikes, "PC", alpha=None))


def test_the_area_under_the_spectrum_is_the_variance_of_the_rate(table, poisson):
    spikes = table({"PC": poisson(50, 20.0, 30_000.0)}, 30_000.0)
    spectrum = analysis.power_spectrum(spikes, "PC")
    area = spectrum["power"].sum() * spectrum["frequency_hz"][1]
    variance = analysis.population_rate(spikes, bin_ms=1.0)["PC"].var()
    assert area == pytest.approx(variance, rel=0.03)


def test_the_spectrum_equals_elephants(column):
    import quantities as pq
    from elephant.spectral import welch_psd

    rate = analysis.population_rate(column, bin_ms=1.0)["PC"].to_numpy()
    frequency, power = welch_psd(
        rate, fs=1000.0, len_segment=500, overlap=0.5, window="hann", detrend="constant"
    )
    given = analysis.power_spectrum(column, "PC", segment_ms=500.0)
    np.testing.assert_allclose(given["frequency_hz"], pq.Quantity(frequency).magnitude)
    np.testing.assert_allclose(given["power"], pq.Quantity(power).magnitude, rtol=1e-9)


def test_the_band_limits_the_search(column):
    assert analysis.peak_frequency(column, "PC") == pytest.approx(40.0)
    assert math.isnan(analysis.peak_frequency(column, "PC", min_hz=60.0))


def test_a_silent_population_has_no_peak(column):
    assert math.isnan(analysis.peak_frequency(column, "VIP"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population": "PVV"}, "did you mean 'PV'"),
        ({"population": "PV", "segment_ms": 2000.0}, "segment_ms"),
        ({"population": "PV", "min_hz": 300.0}, "min_hz"),
        ({"population": "PV", "alpha": 1.5}, "alpha"),
        ({"population": "PV", "bin_ms": 0.0}, "bin_ms"),
    ],
)
def test_bad_options_are_refused(column, options, message):
    with pytest.raises(analysis.InputError, match=message):
        analysis.peak_frequency(column, **options)
