"""The order of sites is that of the key a host would get, worked out by `keyrate` alone."""

from mapping.catalogue import Kind
from mapping.choose import Link, ranked
from tests.unit.catalogue_maker import site


def order(*sites: object, loss_db: float = 10.0) -> list[str]:
    return [rank.site.id for rank in ranked(sites, Link(loss_db=loss_db))]  # type: ignore[arg-type]


def test_brighter_is_better_and_purer_is_better() -> None:
    assert order(site("dim", rate_cps=90e3), site("bright", rate_cps=300e3)) == ["bright", "dim"]
    assert order(site("mixed", g2=0.4, g2_upper95=0.45), site("pure")) == ["pure", "mixed"]


def test_far_away_purity_outweighs_brightness() -> None:
    """At the source every second photon is the eavesdropper's, so loss turns the order round."""
    bright = site("bright", rate_cps=900e3, g2=0.45, g2_upper95=0.5)
    pure = site("pure", rate_cps=200e3, g2=0.01, g2_upper95=0.02)
    assert order(pure, bright, loss_db=5.0)[0] == "bright"
    assert order(pure, bright, loss_db=20.0)[0] == "pure"


def test_the_unproven_come_last_and_several_emitters_never() -> None:
    unproven = site("unproven", rate_cps=900e3, kind=Kind.UNDECIDED, g2=None, g2_upper95=None)
    pair = site("pair", rate_cps=900e3, kind=Kind.SEVERAL)
    assert order(unproven, pair, site("proven")) == ["proven", "unproven"]


def test_what_flickers_is_worth_less() -> None:
    assert order(site("flickers", rate_cps=200e3, flicker=0.3), site("steady"))[0] == "steady"
    assert ranked([site("hopeless", rate_cps=1.0)], Link())[0].why
