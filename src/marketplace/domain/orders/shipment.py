"""Parcels on their way: who carries them, under which number, and where anybody can look them up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from urllib.parse import quote

from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.text import checked_text

MAX_CARRIER = 60
MAX_TRACKING_NUMBER = 64
TRACKING_NUMBER = r"^[A-Za-z0-9](?:[A-Za-z0-9 ./-]*[A-Za-z0-9])?$"
MAX_CORRECTIONS = 10
"""How often the tracking number of one shipment may be corrected: each time the buyer is written to."""

_SHOWN_AT: Mapping[str, str] = {
    "bpost": "https://track.bpost.cloud/btr/web/#/search?itemCode={number}",
    "chronopost": "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={number}",
    "colisprive": "https://colisprive.com/moncolis/pages/detailColis.aspx?numColis={number}",
    "colissimo": "https://www.laposte.fr/outils/suivre-vos-envois?code={number}",
    "correos": "https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number={number}",
    "deutschepost": "https://www.deutschepost.de/de/s/sendungsverfolgung.html?piececode={number}",
    "dhl": "https://www.dhl.com/global-en/home/tracking.html?tracking-id={number}",
    "dpd": "https://tracking.dpd.de/status/en_US/parcel/{number}",
    "fedex": "https://www.fedex.com/fedextrack/?trknbr={number}",
    "gls": "https://gls-group.com/GROUP/en/parcel-tracking?match={number}",
    "laposte": "https://www.laposte.fr/outils/suivre-vos-envois?code={number}",
    "mondialrelay": "https://www.mondialrelay.fr/suivi-de-colis?numeroExpedition={number}",
    "posteitaliane": "https://www.poste.it/cerca/index.html#/risultati-spedizioni/{number}",
    "postnl": "https://www.internationalparceltracking.com/#/search?barcode={number}",
    "royalmail": "https://www.royalmail.com/track-your-item#/tracking-results/{number}",
    "swisspost": "https://service.post.ch/ekp-web/ui/entry/search/{number}",
    "ups": "https://www.ups.com/track?tracknum={number}",
    "usps": "https://tools.usps.com/go/TrackConfirmAction?tLabels={number}",
}
"""The carriers' own pages, by their name in small letters and digits. Any other carrier may be named, without one."""

_CORRECT_NUMBER = re.compile(TRACKING_NUMBER)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shipment:
    """One parcel. ``carrier`` is as the seller wrote it; ``corrections`` counts changes of what the seller told."""

    carrier: str
    tracking_number: str
    shipped_at: datetime
    delivered_at: datetime | None = None
    corrections: int = 0

    @classmethod
    def of(cls, *, carrier: str, tracking_number: str, now: datetime) -> Self:
        """A parcel handed over ``now``. Raises Invalid, naming the field."""
        return cls(carrier=_checked_carrier(carrier), tracking_number=_checked_number(tracking_number), shipped_at=now)

    @property
    def tracking_url(self) -> str | None:
        """Where the carrier shows it; None for a carrier whose pages nobody has told us."""
        page = _SHOWN_AT.get("".join(c for c in self.carrier.casefold() if c.isalnum()))
        return None if page is None else page.format(number=quote(self.tracking_number.replace(" ", ""), safe=""))

    def is_as(self, other: Shipment) -> bool:
        """Whether both name the same parcel, however often and whenever that was told."""
        return (self.carrier, self.tracking_number) == (other.carrier, other.tracking_number)

    def corrected(self, told: Shipment) -> Shipment:
        """The same parcel under what the seller tells now: it left when it left."""
        return replace(
            self, carrier=told.carrier, tracking_number=told.tracking_number, corrections=self.corrections + 1
        )

    def delivered(self, now: datetime) -> Shipment:
        """The parcel as its buyer has it in hand."""
        return replace(self, delivered_at=now)


def _checked_carrier(carrier: str) -> str:
    return checked_text(" ".join(carrier.split()), field="carrier", minimum=1, maximum=MAX_CARRIER)


def _checked_number(number: str) -> str:
    number = " ".join(number.split())
    if len(number) > MAX_TRACKING_NUMBER or _CORRECT_NUMBER.fullmatch(number) is None:
        message = (
            f"{number[:MAX_TRACKING_NUMBER]!r} is no tracking number: at most {MAX_TRACKING_NUMBER} letters, digits,"
            " spaces, dots, slashes and hyphens, a letter or digit at both ends."
        )
        raise Invalid(message, errors={"tracking_number": [message]})
    return number
