"""Matching of records without a common identifier: models, files, single records."""
