"""Why two identifiers were found to be alike: the weight of the match, and what it is made of."""

from __future__ import annotations

from onefold.app.in_force import matching_in_force
from onefold.app.matching.answers import Decision, MatchPart, MatchWhy
from onefold.app.matching.pairwise import decision, probability
from onefold.model.matching import MatchModel
from onefold.model.profile import Node
from onefold.pipeline import record_of
from onefold.resolve.matching.pairwise import decode_record, matcher_of
from onefold.resolve.matching.scoring import Score
from onefold.store import SQLiteStore


def explained(model: MatchModel, score: Score) -> MatchWhy:
    """A score as people read it."""
    parts = [MatchPart("prior", "any two records", score.prior)]
    parts += [MatchPart(one.comparison, one.level, one.weight) for one in score.parts]
    parts.append(MatchPart("household", "what people of one household share", score.household))
    made = decision(model, score.weight)
    return MatchWhy(score.weight, probability(score.weight), made, model.version, tuple(parts))


class Explaining:
    """Explains matches by the model in force."""

    def __init__(self, store: SQLiteStore) -> None:
        self._in_force = matching_in_force(store)
        self._matcher = None if self._in_force is None else matcher_of(self._in_force.model)

    def why(self, one: Node, two: Node) -> MatchWhy | None:
        """How much two nodes' claims are alike; None if no model says so."""
        found = one.more.matched.get(two.id)
        if found is None:
            return None
        if self._in_force is not None and self._matcher is not None:
            columns, region = self._in_force.columns, self._in_force.region
            records = [record_of(node, columns, region) for node in (one, two)]
            said = [decode_record(record) for record in records if record is not None]
            if self._in_force.model.version == found.model and len(said) == len(records):
                ready = [self._matcher.ready(person, source) for source, person in said]
                return explained(self._in_force.model, self._matcher.explain(*ready))
        made: Decision = "merge" if found.taken else "review"
        return MatchWhy(found.weight, probability(found.weight), made, found.model, ())
