"""Tables and records of people, whatever their columns are called."""
