"""What every room stands on: clock, ids, errors and the database. Knows nothing of the domain."""
