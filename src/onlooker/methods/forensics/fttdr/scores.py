"""What a restorer is judged by: masks, pictures as a whole, and what it put into the holes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onlooker.errors import ConfigError
from onlooker.evaluation.restoration import psnr_db, ssim
from onlooker.evaluation.segmentation import boundary_accuracy, region_similarity
from onlooker.methods.forensics.fttdr.data import Damaged
from onlooker.methods.forensics.fttdr.infer import FtTdrRestorer


def score_restoration(
    restorer: FtTdrRestorer, pictures: Sequence[Damaged], *, true_masks: bool = False
) -> dict[str, float]:
    """Means over pictures; pixels are 0 to 255.

    Args:
        restorer: see there.
        pictures: damaged and sound ones; at least one is damaged.
        true_masks: restore what is damaged instead of what is found.

    Returns:
        "mask_iou", "mask_boundary": overlap and boundary of found and true damage in percent; "psnr", "ssim": of whole
        damaged pictures after restoration, dB; "psnr_hole": of the damaged pixels alone; "psnr_damaged": of the
        pictures as they came; "false_area": part of the sound pictures that was changed, percent, 0 without any.

    Raises:
        ConfigError: none is damaged.
    """
    rows = []
    touched = []
    for picture in pictures:
        found = restorer.restore(picture.image, picture.mask if true_masks else None)
        made = found.image.astype(np.uint8)  # as it came
        if not picture.mask.any():
            touched.append(float(found.mask.mean()))
            continue
        damage = found.probability >= restorer.config.threshold
        rows.append(
            (
                100 * region_similarity(damage, picture.mask),
                100 * boundary_accuracy(damage, picture.mask),
                psnr_db(made, picture.original, 255),
                ssim(made, picture.original, 255),
                psnr_db(made, picture.original, 255, picture.mask),
                psnr_db(picture.image, picture.original, 255),
            )
        )
    if not rows:
        raise ConfigError("none of the pictures to score is damaged; give more of them")
    means = np.mean(rows, axis=0).tolist()
    names = ("mask_iou", "mask_boundary", "psnr", "ssim", "psnr_hole", "psnr_damaged")
    return {**dict(zip(names, means, strict=True)), "false_area": 100 * float(np.mean(touched)) if touched else 0.0}
