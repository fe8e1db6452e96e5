"""Content credentials on files that are signed here with a certificate made for the moment."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from authenticity_doubles import jpeg, moving, scene

from onlooker.video.authenticity import provenance
from onlooker.video.authenticity.provenance import has_manifest, read_provenance

c2pa = pytest.importorskip("c2pa", reason="content credentials are checked by c2pa-python")
x509 = pytest.importorskip("cryptography.x509")

_CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


def throw_away_signer():
    """A signer with a chain of two certificates that nobody trusts."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.datetime.now(datetime.UTC)
    above, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def named(text: str):
        rows = ((NameOID.ORGANIZATION_NAME, text), (NameOID.COMMON_NAME, f"{text} 1"))
        return x509.Name([x509.NameAttribute(kind, value) for kind, value in rows])

    def certificate(subject: str, key, is_authority: bool):
        usage = x509.KeyUsage(True, False, False, False, False, is_authority, is_authority, False, False)
        made = (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(named("Nobody"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(is_authority, None), True)
            .add_extension(usage, True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()), False)
        )
        if not is_authority:
            made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        return made.sign(above, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    chain = certificate("Test camera", own, False) + certificate("Nobody", above, True)
    key = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, key, None))


def sign(source: Path, target: Path) -> None:
    actions = [{"action": "c2pa.created", "digitalSourceType": _CAPTURE}, {"action": "c2pa.cropped"}]
    manifest = {
        "claim_generator_info": [{"name": "test", "version": "1"}],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": actions}}],
    }
    c2pa.Builder(json.dumps(manifest)).sign_file(str(source), str(target), throw_away_signer())


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signed")
    (folder / "plain.jpg").write_bytes(jpeg(scene()))
    sign(folder / "plain.jpg", folder / "signed.jpg")
    return folder / "signed.jpg"


def test_a_signed_file_tells_who_signed_what_and_that_nobody_knows_him(signed: Path) -> None:
    found = read_provenance(signed)
    assert found.state == "valid"
    assert "Test camera" in (found.signer or "")
    assert found.tool == "test 1"
    assert found.actions == ("created", "cropped")
    assert found.source_type == "digitalCapture"
    assert found.problems == ()
    assert "anybody can make" in found.note


def test_one_changed_byte_of_the_picture_is_noticed(signed: Path, tmp_path: Path) -> None:
    data = bytearray(signed.read_bytes())
    data[-500] ^= 0xFF
    (tmp_path / "changed.jpg").write_bytes(data)
    found = read_provenance(tmp_path / "changed.jpg")
    assert found.state == "invalid"
    assert "assertion.dataHash.mismatch" in found.problems
    assert "changed after it was signed" in found.note


def test_a_damaged_manifest_is_invalid_not_absent(signed: Path, tmp_path: Path) -> None:
    data = signed.read_bytes()
    place = data.find(b"jumb")
    (tmp_path / "damaged.jpg").write_bytes(data[: place + 300] + bytes(60) + data[place + 360 :])
    assert read_provenance(tmp_path / "damaged.jpg").state == "invalid"


def test_a_file_without_credentials_says_so(signed: Path) -> None:
    found = read_provenance(signed.with_name("plain.jpg"))
    assert found.state == "absent"


def test_a_wrong_suffix_hides_nothing(signed: Path, tmp_path: Path) -> None:
    (tmp_path / "other.dat").write_bytes(signed.read_bytes())
    assert read_provenance(tmp_path / "other.dat").state == "valid"


def test_a_signed_video_is_read(tmp_path: Path, write_clip) -> None:
    sign(write_clip(moving(8)), tmp_path / "signed.mp4")
    assert has_manifest(tmp_path / "signed.mp4")
    assert read_provenance(tmp_path / "signed.mp4").state == "valid"


def test_without_the_library_credentials_are_noticed_and_what_to_install_is_said(
    signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance.importlib.util, "find_spec", lambda name: None)
    found = read_provenance(signed)
    assert found.state == "not_checked"
    assert "onlooker[forensics]" in found.note
    assert read_provenance(signed.with_name("plain.jpg")).state == "absent"


def test_words_about_credentials_are_no_credentials(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(scene()) + b"jumb" + bytes(400) + b"c2pa")
    assert not has_manifest(tmp_path / "a.jpg")
    assert read_provenance(tmp_path / "a.jpg").state == "absent"


def test_nothing_is_fetched(signed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    settings = c2pa.Settings.from_dict

    def watch(values: dict[str, object]):
        told.append(json.dumps(values))
        return settings(values)

    monkeypatch.setattr(c2pa.Settings, "from_dict", watch)
    read_provenance(signed)
    assert json.loads(told[0]) == {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
