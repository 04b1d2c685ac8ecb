"""The way from power to photons adds up."""

from controller.journey import Journey


def test_every_step_has_its_share_and_they_add_up() -> None:
    journey = Journey()
    assert journey.told() == "no step"
    journey.begin(100.0)
    for step, at_s in (("devices", 110.1), ("focus", 112.6), ("locked", 114.0)):
        journey.reached(step, at_s)
    assert journey.told() == (
        "14.0 s from the start, 3.9 s since the devices answered: "
        "devices 10.1, focus 2.5, locked 1.4"
    )


def test_a_new_way_begins_from_nothing() -> None:
    journey = Journey()
    journey.begin(0.0)
    journey.reached("devices", 5.0)
    journey.begin(7.0)
    journey.reached("devices", 8.0)
    assert journey.told() == "1.0 s from the start, 0.0 s since the devices answered: devices 1.0"
