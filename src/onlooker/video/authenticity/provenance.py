"""Content credentials (C2PA): who signed what was done to a file, and whether it was changed since.

Checked by the official library, offline: nothing is fetched, so a manifest that lies elsewhere is told but not read,
and signers are known only by the list that comes with the library. Without it, a manifest is noticed but not checked.
"""

from __future__ import annotations

import importlib.util
import json
import mmap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from onlooker.video.authenticity.boxes import read_boxes
from onlooker.video.authenticity.picture_facts import shown
from onlooker.video.authenticity.verdict import Provenance

INSTALL_HINT = 'run `pip install "onlooker[forensics]"` to check it'
_OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
_LABEL, _KEYWORD = b"jumb", b"c2pa"
_NEAR = 256  # bytes between the start of a JUMBF box and the name of its kind
_UNTRUSTED = "signingCredential.untrusted"
_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_NOTES = {
    "trusted": "signed by somebody on the library's list, and unchanged since",
    "valid": "signed, and unchanged since; the signer is not on the library's list, and anybody can make a certificate",
    "invalid": "the credentials do not fit the file: it was changed after it was signed, or they are damaged",
}


def read_provenance(path: str | Path) -> Provenance:
    """The content credentials of a file; `absent` where there are none, which says nothing about the file."""
    place = Path(path)
    noticed = has_manifest(place)
    if importlib.util.find_spec("c2pa") is None:
        if not noticed:
            return Provenance("absent")
        return Provenance("not_checked", note=f"there are content credentials, unchecked; {INSTALL_HINT}")
    return _checked(place, noticed)


def has_manifest(path: Path) -> bool:
    """Whether a file holds a box of content credentials, by its bytes: a JUMBF box of C2PA, or the box of MP4."""
    boxes = read_boxes(path)
    if boxes is not None:
        return boxes.has_credentials
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place = content.find(_LABEL)
        while place >= 0:
            if content.find(_KEYWORD, place, place + _NEAR) >= 0:
                return True
            place = content.find(_LABEL, place + 1)
    return False


def _checked(path: Path, noticed: bool) -> Provenance:
    import c2pa

    try:
        # The content decides, not the name: a picture under another suffix is read all the same.
        with path.open("rb") as stream:
            context = c2pa.Context(c2pa.Settings.from_dict(_OFFLINE))
            reader = c2pa.Reader(stream, context=context)
            try:
                report = json.loads(reader.json())
                remote = reader.get_remote_url()
            finally:
                reader.close()
    except c2pa.C2paError as error:
        return _failed(str(error), noticed)
    except ValueError as error:
        return Provenance("invalid", problems=(shown(error),), note=_NOTES["invalid"])
    return _told(report, remote)


def _failed(reason: str, noticed: bool) -> Provenance:
    if reason.startswith("RemoteManifest"):
        return Provenance("not_checked", note="the credentials lie elsewhere on the network, and nothing was fetched")
    if not noticed:
        return Provenance("absent")
    return Provenance("invalid", problems=(shown(reason),), note=_NOTES["invalid"])


def _told(report: Mapping[str, object], remote: str | None) -> Provenance:
    state = str(report.get("validation_state", "Invalid")).lower()
    active = _mapping(_mapping(report.get("manifests")).get(str(report.get("active_manifest"))))
    signature = _mapping(active.get("signature_info"))
    names = [str(signature[key]) for key in ("common_name", "issuer") if signature.get(key)]
    tools = [" ".join(str(tool[k]) for k in ("name", "version") if tool.get(k)) for tool in _tools(active)]
    problems = [str(one.get("code")) for one in _mappings(report.get("validation_status"))]
    steps = list(_actions(active))
    kind = next((str(step["digitalSourceType"]) for step in steps if step.get("digitalSourceType")), None)
    note = _NOTES.get(state, _NOTES["invalid"])
    return Provenance(
        "trusted" if state == "trusted" else "valid" if state == "valid" else "invalid",
        shown(", ".join(names)) or None,
        shown(", ".join(tools)) or None,
        shown(signature["time"]) if signature.get("time") else None,
        tuple(shown(step.get("action")).removeprefix("c2pa.") for step in steps),
        None if kind is None else shown(kind).removeprefix(_IPTC),
        tuple(shown(code) for code in problems if code != _UNTRUSTED),
        note if remote is None else f"{note}; the manifest is said to lie at an address, which was not asked",
    )


def _tools(active: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    found = _mappings(active.get("claim_generator_info"))
    return found or ([{"name": active["claim_generator"]}] if active.get("claim_generator") else [])


def _actions(active: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    for assertion in _mappings(active.get("assertions")):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            yield from _mappings(_mapping(assertion.get("data")).get("actions"))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
