"""The gate: is the candidate worse? Asked of the served artefact, GGUF base and GGUF adapter in llama.cpp.

A candidate is held for being worse than the incumbent, never promoted for being new. A measure with
fewer than thirty items informs and does not decide; every number carries its n.
"""

from learning.gate.judging import Stage, Trial, judge
from learning.gate.measures import GateVerdict, Measure
from learning.gate.witness import Witness

__all__ = ["GateVerdict", "Measure", "Stage", "Trial", "Witness", "judge"]
