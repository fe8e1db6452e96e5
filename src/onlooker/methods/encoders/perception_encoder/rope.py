"""Two-dimensional rotary positions: queries and keys are turned by angles that grow with column and row.

Positions are whole numbers on the grid at hand, not rescaled to the grid of training, so larger pictures show angles
that training never had; the paper finds that this, on top of an absolute table, generalises best over sizes.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor

_BASE = 10000.0  # as in the official code
_KEPT_GRIDS = 8  # tables kept per network; a table of 32x32 patches takes 400 kB


def grid_angles(height: int, width: int, head_dim: int, class_token: bool, device: torch.device) -> Tensor:
    """Angles of every token of a grid, in float32 whatever the network computes in.

    Args:
        height, width: of the grid, in patches.
        head_dim: width of a head, a multiple of four.
        class_token: whether a token stands before the patches. It is not turned, and patches then count from 1.

    Returns:
        (N, head_dim / 2) radians, row-major, the first half by column and the second by row. Pair i of a head's
        entries, (2i, 2i + 1), is turned by angle i.
    """
    per_axis = head_dim // 2
    steps = torch.arange(0, per_axis, 2, dtype=torch.float32, device=device)
    frequencies = _BASE ** -(steps / per_axis)
    first = 1 if class_token else 0
    rows = torch.arange(first, first + height, dtype=torch.float32, device=device)[:, None] * frequencies  # (h, D/4)
    columns = torch.arange(first, first + width, dtype=torch.float32, device=device)[:, None] * frequencies  # (w, D/4)
    by_column = columns[None, :, :].expand(height, -1, -1)
    by_row = rows[:, None, :].expand(-1, width, -1)
    angles = torch.cat([by_column, by_row], dim=-1).flatten(0, 1)  # (h*w, D/2)
    return torch.cat([angles.new_zeros(1, head_dim // 2), angles]) if class_token else angles


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """Turns pairs of entries of the last dimension: (a, b) by angle t to (a cos t - b sin t, a sin t + b cos t).

    Args:
        x: (..., D), D even. Half precision is turned in float32 and rounded once.
        turns: complex, e^(i t), of shape (..., D / 2) that broadcasts against the pairs of `x`.

    Returns:
        As `x`.
    """
    real = x if x.dtype in (torch.float32, torch.float64) else x.float()
    pairs = torch.view_as_complex(real.reshape(*real.shape[:-1], -1, 2))  # (..., D/2)
    return torch.view_as_real(pairs * turns).flatten(-2).to(x.dtype)


class TurnTable:
    """Rotations of the last few grids, so that alternating picture sizes compute nothing twice.

    Args:
        head_dim, class_token: as in `grid_angles`.
    """

    def __init__(self, head_dim: int, class_token: bool) -> None:
        self._head_dim, self._class_token = head_dim, class_token
        self._kept: OrderedDict[tuple[int, int, torch.device], Tensor] = OrderedDict()

    def turns(self, height: int, width: int, device: torch.device) -> Tensor:
        """(N, 1, 1, head_dim / 2) complex64, for tensors of shape (B, N, 2, heads, head_dim)."""
        key = (height, width, device)
        found = self._kept.get(key)
        if found is None:
            # A table made in inference mode could not take part in training later.
            with torch.inference_mode(False), torch.no_grad():
                angles = grid_angles(height, width, self._head_dim, self._class_token, device)
                found = torch.polar(torch.ones_like(angles), angles)[:, None, None, :]
            self._kept[key] = found
            if len(self._kept) > _KEPT_GRIDS:
                self._kept.popitem(last=False)
        return found
