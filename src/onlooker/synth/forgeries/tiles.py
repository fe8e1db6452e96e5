"""Seeded tiles: item i of `ForgedTiles` depends on the configuration, the seed, the split and i alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import get_args

import numpy as np

from onlooker.configs import config_to_dict
from onlooker.errors import MissingExtraError, UnknownNameError
from onlooker.synth.forgeries import chain, corruptions, faces, pasting, removal
from onlooker.synth.forgeries.config import ForgeryConfig, History
from onlooker.synth.forgeries.hosts import Host, HostPool
from onlooker.synth.forgeries.pasting import Draft, Workshop
from onlooker.synth.forgeries.photos import FACES_HINT, Photo
from onlooker.synth.forgeries.values import ForgedImage, Split, TileArrays, stack_items

Recipe = Callable[[Host, Workshop], Draft]
RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "authentic": pasting.untouched,
        "splice": pasting.splice,
        "copy_move": pasting.copy_move,
        "removal": removal.remove,
        "self_blended": faces.self_blended,
        "face_swap": faces.face_swap,
        "reenactment": faces.reenacted,
        "corruption": corruptions.corrupt,
    }
)
_HISTORIES: tuple[History, ...] = ("own", "same", "none")
_NEED_ANOTHER = frozenset({"splice", "face_swap"})


class ForgedTiles:
    """Random access to tiles: `tiles[i]` for every i >= 0.

    Every item: a tile of a photo, a first save, the manipulation (or operations that change nothing), post-processing,
    a last save. Format, size, and the distributions of qualities, samplings and post-processing are the same for
    authentic and forged. The tile's corner is the last save's grid corner, unless `crop_after_final` is set.

    Args:
        config: what tiles are made of.
        seed: another seed draws other tiles of the same photos.
        split: tiles of different splits share no photo.
        photos: `None` reads `photo_sources()`.

    Raises:
        MissingExtraError: too few photos; says what to install.
    """

    def __init__(
        self, config: ForgeryConfig, seed: int, split: Split = "train", photos: Sequence[Photo] | None = None
    ) -> None:
        if split not in get_args(Split):
            raise UnknownNameError("split", split, get_args(Split))
        self.config, self.seed, self.split = config, seed, split
        self._pool = HostPool(config, split, photos)
        kinds = [name for name, weight in config.kinds.items() if weight > 0]
        needy = [name for name in kinds if name in _NEED_ANOTHER]
        if needy and self._pool.n_hosts < 2:
            raise MissingExtraError(f"`{needy[0]}` needs two {config.hosts} in the split `{split}`; {FACES_HINT}")
        weights = np.array([config.kinds[name] for name in kinds], np.float64)
        self._kinds, self._weights = tuple(kinds), weights / weights.sum() if len(weights) else weights

    @property
    def photo_ids(self) -> tuple[str, ...]:
        """Photos tiles are cut from."""
        return self._pool.photo_ids

    @property
    def fingerprint(self) -> str:
        """What identifies the data: settings, seed, split and photos."""
        return f"forgeries {config_to_dict(self.config)} seed {self.seed} {self.split} of {', '.join(self.photo_ids)}"

    def __getitem__(self, index: int) -> ForgedImage:
        if index < 0:
            raise IndexError(f"tiles are counted from 0, got {index}")
        rng = np.random.default_rng((self.seed, get_args(Split).index(self.split), index))
        return self.make(self._draw_kind(rng), rng)

    def make(self, kind: str, rng: np.random.Generator) -> ForgedImage:
        """One tile of a kind."""
        config = self.config
        host = self._pool.draw(rng)
        post, final = chain.draw_post(config.post, rng), chain.draw_final(config.compression, rng)
        history = config.compression.donor
        if history == "any":
            history = _HISTORIES[int(rng.integers(len(_HISTORIES)))]
        draft = _forge(RECIPES[kind], host, Workshop(config, self._pool, rng, history))
        image, data = chain.last_save(chain.apply_post(draft.image, post), final)
        original, _ = chain.last_save(chain.apply_post(host.pixels, post), final)
        provenance = {
            "camera_quality": host.camera.quality,
            "camera_phase": host.camera.phase,
            "camera_chroma": host.camera.chroma,
            "final_quality": final.quality,
            "final_chroma": final.chroma,
            "final_shift": final.shift,
            "final_jpeg": data,
            "post": config_to_dict(post),
            "who": host.who,
            "donor_history": None if kind == "authentic" else history,
            **draft.draws,
        }
        return ForgedImage(image, draft.mask, kind, (host.photo_id, *draft.donors), provenance, original)

    def _draw_kind(self, rng: np.random.Generator) -> str:
        if rng.random() < self.config.authentic_share:
            return "authentic"
        return self._kinds[int(rng.choice(len(self._kinds), p=self._weights))]


def _forge(recipe: Recipe, host: Host, shop: Workshop) -> Draft:
    """The recipe's work on the host; with the history "same" it is done before the host's first save."""
    if shop.history != "same":
        return recipe(host, shop)
    size = host.pixels.shape[0]
    fresh = replace(host, pixels=chain.first_save(host.window.pixels, replace(host.camera, quality=None), size))
    draft = recipe(fresh, shop)
    top, left = chain.tile_corner(host.camera.phase)
    window = host.window.pixels.copy()
    window[top : top + size, left : left + size] = draft.image
    return draft._replace(image=chain.first_save(window, host.camera, size))


class TileCache:
    """The first `length` tiles, each made when first asked for and kept: training for more steps than there are tiles
    passes over them again and pays for the JPEG chains once.

    Args:
        tiles: where they are from.
        length: how many; 4000 tiles of 64 pixels take about 120 MB with their originals.
    """

    def __init__(self, tiles: ForgedTiles, length: int) -> None:
        self.tiles = tiles
        self._made: list[ForgedImage | None] = [None] * length

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, index: int) -> ForgedImage:
        if not 0 <= index < len(self._made):
            raise IndexError(f"tile {index} of {len(self._made)}")
        made = self._made[index]
        if made is None:
            made = self._made[index] = self.tiles[index]
        return made

    def arrays(self) -> TileArrays:
        """All of them."""
        return stack_items([self[k] for k in range(len(self))])
