"""Pictures of cards: every field is found, burnt out, and a second reading makes nothing of it out."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures import cards
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import FICTITIOUS
from kuimen.sources import images
from kuimen.sources.folder import FolderSource
from kuimen.sources.images import ImagesExtraError, PictureFormError, PictureReader, is_picture, redacted_picture
from kuimen.sources.images.redaction import findings_of, redact_picture
from kuimen.sources.scan import is_partial, scan_open

# layouts and fonts that the recogniser was not written against stand in the later rows
SHOTS = (
    ("identity_card", 21, 0, 0, 0, 0.0, False),
    ("identity_card", 22, 4, 1, 90, 0.8, True),
    ("identity_card", 23, 3, 2, 184, 1.2, False),
    ("bank_card", 24, 1, 1, 180, 0.8, True),
    ("screenshot", 25, 5, 1, 270, 0.0, False),
)
OUTSIDE = {"identity_card": "公民身份号码", "bank_card": "VALID", "screenshot": "状态"}


@pytest.fixture(scope="module")
def reader() -> Iterator[PictureReader]:
    made = PictureReader.start()
    yield made
    made.close()


def bgr(image: Image.Image) -> np.ndarray:
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])


def plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


def drawn(kind: str, index: int, face: int, layout: int) -> cards.Card:
    made = {"identity_card": cards.identity_card, "bank_card": cards.bank_card, "screenshot": cards.screenshot}[kind]
    return made(index, face=face, layout=layout)


@pytest.mark.parametrize(("kind", "index", "face", "layout", "degrees", "blur", "half"), SHOTS)
def test_fields_are_found_and_nothing_of_them_is_readable_afterwards(
    kind: str, index: int, face: int, layout: int, degrees: int, blur: float, *, half: bool
) -> None:
    card = drawn(kind, index, face, layout)
    picture = cards.spoiled(cards.turned(card, degrees), blur=blur, half=half)

    clean, found = redact_picture(bgr(picture), tables=FICTITIOUS)
    left, lines, _ = findings_of(clean, tables=FICTITIOUS)

    assert set(card.fields) <= {str(one.element) for one in found}
    # without its values a card is laid out differently; that the photograph is covered is tested by itself
    assert [one.element for one in left if one.element is not Element.PHOTO_IMAGE] == []
    seen = plain("".join(line.text for line in lines))
    for text in card.fields.values():
        pieces = [plain(text)[at : at + 4] for at in range(max(1, len(plain(text)) - 3))]
        assert not any(piece in seen for piece in pieces if len(piece) > 3 or piece == plain(text))
    assert degrees or OUTSIDE[kind] in seen, "what is no personal datum stays readable"


def test_the_photograph_of_an_identity_card_is_covered() -> None:
    card = cards.identity_card(31)
    clean, found = redact_picture(bgr(card.image), tables=FICTITIOUS)
    assert card.portrait is not None
    left, top, right, bottom = card.portrait
    assert "photo_image" in {str(one.element) for one in found}
    assert not clean[top + 10 : bottom - 10, left + 10 : right - 10].any()


def test_a_file_comes_back_in_its_form_without_metadata(tmp_path: Path, reader: PictureReader) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "张三的身份证", 6
    path = tmp_path / "shot.jpg"
    turned_left = cards.screenshot(41).image.rotate(90, expand=True)
    turned_left.save(path, exif=exif, quality=90)

    clean, counts = redacted_picture(path, reader, tables=FICTITIOUS)

    with Image.open(io.BytesIO(clean)) as image:
        assert image.format == "JPEG"
        assert dict(image.getexif()) == {}
        assert image.size == cards.screenshot(41).image.size, "the orientation that the metadata held is in the pixels"
    assert {"person_name", "mobile", "resident_id"} <= set(counts)


def test_scanned_pages_and_pictures_are_scanned_like_files(tmp_path: Path) -> None:
    cards.bank_card(51).image.save(tmp_path / "scan.pdf", "PDF", resolution=150)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 50)
    with FolderSource(tmp_path) as source:
        rows = list(scan_open(source, overlay="fictitious"))
    found = {(row.file, row.element): row for row in rows}
    assert found["scan.pdf", "bank_card"].first_lines == (1,)
    assert found["broken.png", None].state == "not_read"
    assert is_partial(rows)
    assert not any(value in str([row.as_json() for row in rows]) for value in cards.bank_card(51).fields.values())


def test_a_pdf_comes_back_as_pictures_that_hold_nothing(tmp_path: Path, reader: PictureReader) -> None:
    path = tmp_path / "scan.pdf"
    cards.screenshot(61).image.save(path, "PDF", resolution=110, author="张三")
    assert is_picture(path)
    clean, counts = redacted_picture(path, reader, tables=FICTITIOUS)
    assert {"person_name", "mobile", "resident_id"} <= set(counts)
    assert "张三".encode("utf-16-be") not in clean
    path.write_bytes(clean)
    assert redacted_picture(path, reader, tables=FICTITIOUS)[1] == {}


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("kuimen.sources.images.pool.find_spec", lambda _name: None)
    with pytest.raises(ImagesExtraError, match=r"kuimen\[images\]"):
        PictureReader.start()
    cards.screenshot(71).image.save(tmp_path / "a.png")
    cards.screenshot(71).image.save(tmp_path / "b.pdf", "PDF")
    with FolderSource(tmp_path) as source:
        rows = {row.file: row for row in scan_open(source, overlay="fictitious") if row.state == "not_read"}
    assert all("kuimen[images]" in str(rows[name].reason) for name in ("a.png", "b.pdf"))


def test_a_picture_of_too_many_pixels_is_refused_unread(tmp_path: Path, reader: PictureReader) -> None:
    path = tmp_path / "huge.png"
    Image.new("1", (20_000, 20_000)).save(path)
    with pytest.raises(PictureFormError, match="million pixels"):
        redacted_picture(path, reader, tables=FICTITIOUS)


def test_what_is_offered_is_there() -> None:
    assert all(hasattr(images, name) for name in images.__all__)
