"""Deliveries go out to destinations: at least once, in order for each profile.

In: deliveries that wait in an outbox, and the destinations' definitions. Out: HTTP requests, and
for each an outcome: delivered, again later, or a dead letter. A slow or broken destination
delays no other. A destination type is a file like `webhook`: settings, and one pure function
that makes a request; sending, retrying and counting are done here (`dispatcher`, `lane`,
`retry`, `circuit`).
"""

from onefold.activate.destination import Destination
from onefold.activate.dispatcher import Dispatcher
from onefold.activate.http import HttpClient
from onefold.activate.outbox import Outbox
from onefold.activate.types import destination_from

__all__ = ["Destination", "Dispatcher", "HttpClient", "Outbox", "destination_from"]
