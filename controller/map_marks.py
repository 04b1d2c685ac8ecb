"""Sites as marks on the picture of a field."""

import math
from collections.abc import Callable, Sequence

from controller.map_picture import MapMark
from mapping.catalogue import Catalogue, SiteState
from mapping.choose import Rank
from optics.quantities import ChipPoint


def marks_of(
    catalogue: Catalogue,
    selected: str,
    ranks: Sequence[Rank],
    shown_at: Callable[[ChipPoint], tuple[float, float]] = lambda place: place[:2],
) -> list[MapMark]:
    """Each with its rank; `shown_at` carries a place on the chip into the picture's plane."""
    usable = (rank for rank in ranks if rank.site.state is not SiteState.RETIRED)
    number = {rank.site.id: place for place, rank in enumerate(usable, 1)}
    marks = []
    for site in catalogue.sites.values():
        x_um, y_um = shown_at(site.place)
        sigma_um = math.hypot(*site.seen.sigma_um[:2]) / math.sqrt(2)
        label = f"{number[site.id]}: {site.id}" if site.id in number else site.id
        chosen = site.id == selected
        marks.append(MapMark(x_um, y_um, sigma_um, label, site.state.value, chosen))
    return marks
