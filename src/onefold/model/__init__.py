"""The nouns: records, definitions, the profile, the table catalogue, errors. No I/O, no clock."""
