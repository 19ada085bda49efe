"""Which records are one person although they share no identifier.

In: records in the standard columns of `onefold.model.person`. Out: queries that find pairs and say how
they agree, a learned model, the weight of a pair, clusters. Promise: a weight is a pure function
of two records and the model; clusters do not depend on the order of the records.
"""
