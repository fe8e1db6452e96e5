"""Run lengths byte for byte as pycocotools writes them."""

from __future__ import annotations

import numpy as np
import pytest

from onlooker.formats.run_lengths import decode_mask, encode_mask, mask_area

reference = pytest.importorskip("pycocotools.mask", reason="compares with pycocotools")


@pytest.mark.parity
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.98, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (37, 1), (64, 90)])
def test_masks_encode_to_the_same_bytes(share: float, shape: tuple[int, int]):
    mask = np.random.default_rng(3).random(shape) < share
    theirs = reference.encode(np.asfortranarray(mask, np.uint8))
    assert encode_mask(mask) == theirs["counts"]
    assert mask_area(theirs["counts"]) == reference.area(theirs)
    np.testing.assert_array_equal(decode_mask(theirs["counts"], *shape), reference.decode(theirs) > 0)
