"""Names of the 1,000 ImageNet categories, as the data shipped with timm spells them."""

from __future__ import annotations

from timm.data import ImageNetInfo


def imagenet_names() -> tuple[str, ...]:
    """First synonym of every category in index order, lower case: index 0 is `tench`, 144 is `pelican`.

    A few names are borne by two categories (`crane` the bird and `crane` the machine): the second synonym is added in
    brackets so that names stay unique where timm tells them apart, and the index where it does not.
    """
    info = ImageNetInfo()
    synonyms = [
        [part.strip().lower() for part in info.index_to_description(i).split(",")] for i in range(info.num_classes())
    ]
    firsts = [parts[0] for parts in synonyms]
    names = []
    for index, parts in enumerate(synonyms):
        if firsts.count(parts[0]) == 1:
            names.append(parts[0])
        else:
            names.append(f"{parts[0]} ({parts[1] if len(parts) > 1 else index})")
    return tuple(names)
