"""State dicts in which a tensor that two places share stands once, under its first name."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from functools import partial

from torch import Tensor, nn


def store_shared_once(module: nn.Module) -> None:
    """Leaves the second and later names of shared parameters out of `module.state_dict()`; loading fills them in.

    Call at the end of the constructor, when everything is tied.
    """
    first: dict[int, str] = {}
    aliases: dict[str, str] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        known = first.setdefault(id(parameter), name)
        if known != name:
            aliases[name] = known

    module.register_state_dict_post_hook(partial(_drop, aliases))  # type: ignore[no-untyped-call]
    module.register_load_state_dict_pre_hook(partial(_fill, aliases))  # type: ignore[no-untyped-call]


def _drop(
    aliases: Mapping[str, str], owner: nn.Module, state: MutableMapping[str, Tensor], prefix: str, metadata: object
) -> None:
    for alias in aliases:
        state.pop(prefix + alias, None)


def _fill(
    aliases: Mapping[str, str], owner: nn.Module, state: MutableMapping[str, Tensor], prefix: str, *rest: object
) -> None:
    for alias, name in aliases.items():
        if prefix + name in state:
            state.setdefault(prefix + alias, state[prefix + name])
