"""One NPC's night: what the table liked becomes how it speaks.

    harvest → dataset → training → GGUF adapter → gate → registered, for the GM to promote

Every stage hands over files with manifests or rows in the database; only this package knows their
order. Everything a stage makes is named by the hash of what it was made from, so that a night that
was killed finds what is done and goes on from there; each stage's beginning and end are recorded.
"""

from learning.nightly.run import run
from learning.nightly.values import STAGES, Night, Outcome, budget

__all__ = ["STAGES", "Night", "Outcome", "budget", "run"]
