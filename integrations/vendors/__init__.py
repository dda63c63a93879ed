"""The vendors, by slug; the slug is also the system's kind, the docs page and the fixtures' folder."""

from integrations.vendors.base import Vendor
from integrations.vendors.iris_works import IrisWorks
from integrations.vendors.party_rental import PartyRental
from integrations.vendors.shootq import ShootQ
from integrations.vendors.studio_cloud import StudioCloud
from integrations.vendors.venue_master import VenueMaster
from integrations.vendors.webhook import SignedWebhook

VENDORS: dict[str, Vendor] = {
    vendor.slug: vendor for vendor in (StudioCloud(), ShootQ(), IrisWorks(), VenueMaster(), PartyRental())
}

# Who accepts calls: the vendors, and generic webhooks, which receive every event. By the system's kind.
CALLED: dict[str, Vendor | SignedWebhook] = {**VENDORS, "webhook": SignedWebhook()}
