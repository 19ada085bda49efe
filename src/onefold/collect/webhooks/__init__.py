"""Take in what other systems push to `/webhook/SOURCE`, whoever signs it and however. No I/O.

In: a request and how its sender signs. Out: the records in it with the id of the delivery, or an
error that says what is wrong. Promise: nothing that is not proven to come from the sender is taken,
and the same delivery has the same id, so that it counts once.
"""

from onefold.collect.webhooks.reading import Delivered, records_in, records_of
from onefold.collect.webhooks.settings import Call, WebhookSettings, settings_faults
from onefold.collect.webhooks.verifying import verify

__all__ = [
    "Call",
    "Delivered",
    "WebhookSettings",
    "records_in",
    "records_of",
    "settings_faults",
    "verify",
]
