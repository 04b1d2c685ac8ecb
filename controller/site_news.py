"""The archive's sites, selection and epoch, as outsiders are told of them."""

import math

from controller.desk import Desk
from controller.figures import SiteTold
from mapping.catalogue import Site
from mapping.choose import Link, ranked


def tell_of_sites(desk: Desk) -> None:
    """Now, and after every change."""
    desk.archive.changed = lambda: _tell(desk)
    _tell(desk)


def _tell(desk: Desk) -> None:
    archive, survey = desk.archive, desk.config.survey
    link = Link(loss_db=survey.loss_db, trigger_hz=survey.trigger_hz)
    usable = [rank.site for rank in ranked(archive.catalogue.usable, link)]
    chosen = {site.id for site in usable}
    rest = [site for name, site in archive.catalogue.sites.items() if name not in chosen]
    sites = {site.id: _told(site) for site in (*usable, *rest)}
    desk.news.publish(sites=sites, selected=archive.selected, epoch=archive.epoch)


def _told(site: Site) -> SiteTold:
    seen = site.seen
    return SiteTold(
        *seen.place,
        sigma_um=math.hypot(*seen.sigma_um[:2]) / math.sqrt(2),
        rate_cps=seen.rate_cps,
        g2=math.nan if seen.g2 is None else seen.g2,
        g2_sigma=math.nan if seen.g2_sigma is None else seen.g2_sigma,
        state=site.state,
    )
