"""Federated averaging: nearly as good as all flights in one place, and worse where it is done badly."""

import numpy as np
import pytest

from patterns.federated import (
    STEPS,
    Flights,
    Update,
    Vector,
    averaged,
    central,
    flights,
    pooled,
    rmse,
    start,
    trained,
    vector,
)


def site(seed: int, count: int, shift: float) -> Flights:
    """Made-up flights of one site: the same law as everywhere, other circumstances."""
    chance = np.random.default_rng(seed)
    departure = chance.exponential(30, count) + shift
    distance, hour, wind = chance.uniform(200, 2500, count), chance.uniform(5, 23, count), chance.uniform(0, 25, count)
    arrival = departure - distance / 400 + wind / 2 + chance.normal(0, 15, count)
    return flights(list(zip(departure, distance, hour, wind, arrival, strict=True)))


SITES = [site(1, 6000, 0), site(2, 1500, -5), site(3, 400, 20)]


def learned(rounds: int, *, by_samples: bool) -> Vector:
    """The shared weights after so many rounds."""
    weights = start()
    for _ in range(rounds):
        updates = [Update(trained(weights, own), len(own.delays)) for own in SITES]
        weights = averaged(updates, by_samples=by_samples)
    return weights


def test_twenty_rounds_by_samples_come_within_two_percent_of_the_central_model() -> None:
    """What the exercise asks for is reachable with what travels: weights alone."""
    together = pooled(SITES)
    ratio = rmse(learned(20, by_samples=True), together) / rmse(central(together), together)
    assert 1 <= ratio <= 1.02


def test_one_round_with_equal_weights_is_clearly_worse() -> None:
    """The exercise starts from a model that anybody sees is bad."""
    together = pooled(SITES)
    assert rmse(learned(1, by_samples=False), together) > 1.2 * rmse(central(together), together)


def test_more_rounds_never_move_away_from_the_central_model() -> None:
    """By samples, each round comes closer."""
    together = pooled(SITES)
    errors = [rmse(learned(rounds, by_samples=True), together) for rounds in (1, 2, 5, 10)]
    assert errors == sorted(errors, reverse=True)


def test_a_site_counts_for_its_samples_or_like_any_other() -> None:
    """The average is what its name says."""
    updates = [Update(np.zeros(5), 300), Update(np.ones(5), 100)]
    assert averaged(updates, by_samples=True) == pytest.approx(np.full(5, 0.25))
    assert averaged(updates, by_samples=False) == pytest.approx(np.full(5, 0.5))


def test_a_single_site_s_average_is_its_own_training() -> None:
    """One site alone learns as it would without the centre."""
    own = SITES[2]
    once = averaged([Update(trained(start(), own), 400)], by_samples=True)
    assert once == pytest.approx(trained(start(), own, STEPS))


@pytest.mark.parametrize("numbers", [[1.0], [0.0] * 6, [float("nan")] * 5])
def test_weights_that_make_no_sense_are_refused(numbers: list[float]) -> None:
    """What a site gets over the wire is checked before it is learned from."""
    with pytest.raises(ValueError, match="5 finite numbers"):
        vector(numbers)
