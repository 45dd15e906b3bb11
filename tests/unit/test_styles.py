"""The colours of choices: readable, and told apart by who sees few colours."""

from itertools import combinations

import pytest

from connector.journey.engagement_fields import ENGAGEMENT_TABLE, state_choices
from connector.journey.fields import MOMENT, MOMENT_CHOICES
from connector.provision import styles
from connector.provision.styles import BAD, GOOD, PLAIN, STEADY, WATCH
from tests.journey_kit import shipped

COLOURS = (GOOD, STEADY, PLAIN, WATCH, BAD)
Light = tuple[float, float, float]

# Viénot, Brettel, Mollon (1999), "Digital video colourmaps for checking the legibility of displays
# by dichromats", over linear RGB: who lacks the red, and who lacks the green receptors.
SIGHTS = {
    "all": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "no red": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "no green": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
}


def light(colour: str) -> Light:
    """Linear RGB (IEC 61966-2-1)."""
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return r, g, b


def luminance(colour: str) -> float:
    r, g, b = light(colour)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def seen(colour: str, sight: str) -> Light:
    """CIELAB of a colour as somebody sees it (D65)."""
    given = light(colour)
    r, g, b = (
        max(0.0, sum(k * v for k, v in zip(row, given, strict=True))) for row in SIGHTS[sight]
    )
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
    )
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("colour", COLOURS)
def test_black_letters_can_be_read_on_each(colour: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5:1. Some releases draw the label on its colour."""
    assert (luminance(colour) + 0.05) / 0.05 >= 4.5


@pytest.mark.parametrize("sight", SIGHTS)
def test_no_two_colours_look_alike_to_anybody(sight: str) -> None:
    for one, other in combinations(COLOURS, 2):
        apart = sum((a - b) ** 2 for a, b in zip(seen(one, sight), seen(other, sight), strict=True))
        assert apart**0.5 >= 20, (one, other)


def test_every_value_that_has_a_colour_is_a_choice_with_a_label() -> None:
    made = list(styles.styles(("incident",)))
    assert {one.fields["name"] for one in made} == {
        "incident",
        "u_journey",
        "u_journey_engagement",
        "u_journey_request",
    }
    moments = {one.fields["value"] for one in made if one.fields["element"] == MOMENT}
    assert moments == set(MOMENT_CHOICES)
    of_states = {
        one.fields["value"]: one.fields["style"]
        for one in made
        if one.fields["name"] == ENGAGEMENT_TABLE.name
    }
    assert of_states.keys() <= set(state_choices(shipped().engagement))
    assert of_states["broken"] == f"background-color: {BAD}"
