"""Sizes, categories and segmentations in COCO's JSON: run lengths, plain or compressed, and polygons."""

from __future__ import annotations

from onlooker.errors import FormatError, ShapeError
from onlooker.formats.json_node import Node
from onlooker.formats.run_lengths import check_runs, counts_to_runs, polygons_to_counts, runs_to_counts

LARGEST_SIDE = 20_000  # ours: no picture is larger, a broken file may say so


def size_of(node: Node) -> tuple[int, int]:
    """(width, height) in pixels."""
    width, height = node.field("width"), node.field("height")
    for side, name in ((width, "width"), (height, "height")):
        if side.integer() < 1:
            raise side.wrong(f"a {name} above 0")
        if side.integer() > LARGEST_SIDE:
            raise side.wrong(f"at most {LARGEST_SIDE} pixels a side")
    return width.integer(), height.integer()


def categories_of(root: Node) -> dict[int, str]:
    """Names of the categories of a file by their ids.

    Raises:
        FormatError: two share an id: what is of it would get the name of the last.
    """
    names: dict[int, str] = {}
    for item in root.field("categories").items():
        number = item.field("id")
        if number.integer() in names:
            raise number.wrong("an id that no other category has")
        names[number.integer()] = item.field("name").text()
    return names


def mask_of(node: Node | None, size: tuple[int, int]) -> bytes | None:
    """Compressed counts of a segmentation in any of COCO's three forms; `None` where there is none."""
    if node is None or node.value == []:
        return None
    width, height = size
    try:
        if isinstance(node.value, list):
            return polygons_to_counts(
                [[v.number() for v in polygon.items()] for polygon in node.items()], height, width
            )
        declared = [item.integer() for item in node.field("size").items()]
        if declared != [height, width]:
            raise node.field("size").wrong(f"[height, width] of the video, [{height}, {width}]")
        counts = node.field("counts")
        if isinstance(counts.value, str):
            packed = counts.value.encode(errors="surrogatepass")  # such bytes are refused as counts
            check_runs(counts_to_runs(packed), height, width)
            return packed
        return runs_to_counts(check_runs([item.integer() for item in counts.items()], height, width))
    except ShapeError as error:
        raise FormatError(f"{node.where}: {error}") from error
