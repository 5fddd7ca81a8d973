"""Research questions as programs: the same held-out sets for every arm, intervals, one document, one plot."""
