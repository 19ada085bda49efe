"""Made-up records of people, of which it is known who is who.

Households, twins, sons named after fathers, maiden names, moves, nicknames, Chinese names in every
way they are written, and the mistakes of fingers, ears and scanners. Deterministic per seed.
"""

from onefold.testing.people.records import SOURCES, make_people, source_tables

__all__ = ["SOURCES", "make_people", "source_tables"]
