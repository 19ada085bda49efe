"""`onefold demo`: a made-up online shop, played into a real Onefold over its tracking API."""
