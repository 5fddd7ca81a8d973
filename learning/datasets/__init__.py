"""Makes datasets of candidate rows: text as serving renders it, and snapshots that can be traced."""
