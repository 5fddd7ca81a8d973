"""Muon for processors without bfloat16.

`torch.optim.Muon` orthogonalises in bfloat16, which a processor without it emulates: twelve
seconds a step where float32 takes a quarter of one. Same update (momentum, Nesterov,
Newton-Schulz), in float32, with matrices of one shape batched.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

import torch

_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalise(matrices: torch.Tensor, steps: int) -> torch.Tensor:
    """Bring each matrix near the closest orthogonal one by Newton-Schulz.

    Args:
        matrices: (batch, rows, columns).
        steps: iterations; four are enough for training.
    """
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = _A * x + (_B * gram + _C * gram @ gram) @ x
    found: torch.Tensor = x.mT if tall else x
    return found


class Muon(torch.optim.Optimizer):
    """Momentum orthogonalised, for weight matrices."""

    def __init__(self, params: Iterable[torch.nn.Parameter], lr: float, momentum: float = 0.95, steps: int = 4) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "steps": steps})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Apply one update to every matrix that has a gradient."""
        for group in self.param_groups:
            shapes: dict[torch.Size, list[torch.nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    shapes[parameter.shape].append(parameter)
            for shape, parameters in shapes.items():
                self._update(group, shape, parameters)

    def _update(self, group: dict[str, float], shape: torch.Size, parameters: list[torch.nn.Parameter]) -> None:
        pushes = []
        for parameter in parameters:
            gradient = parameter.grad
            assert gradient is not None
            state = self.state[parameter]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(gradient)
            velocity = state["momentum"].lerp_(gradient, 1 - group["momentum"])
            pushes.append(gradient.lerp(velocity, group["momentum"]))
        updates = orthogonalise(torch.stack(pushes), int(group["steps"]))
        scale = group["lr"] * max(1.0, shape[0] / shape[1]) ** 0.5
        for parameter, update in zip(parameters, updates, strict=True):
            parameter.add_(update, alpha=-scale)
