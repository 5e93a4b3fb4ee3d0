"""What is sent as a logo: a picture made anew, or refused for a reason."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, PngImagePlugin

from chassis.errors import Invalid
from portal.branding.pictures import BOX, MOST_BYTES, logo_of


def drawn(kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (240, 80), **more: object) -> bytes:
    out = BytesIO()
    Image.new(mode, size, more.pop("colour", None)).save(out, kind, **more)  # type: ignore[arg-type]
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    picture = Image.open(BytesIO(content))
    picture.load()
    return picture


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16", "LA"])
def test_every_kind_of_png_becomes_one_of_plain_colours(mode: str) -> None:
    made = logo_of(drawn(mode=mode))
    assert made.media_type == "image/png"
    assert opened(made.content).mode == ("RGBA" if mode in ("RGBA", "LA") else "RGB")


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_of_any_colours_becomes_one_in_rgb(mode: str) -> None:
    made = logo_of(drawn("JPEG", mode))
    assert (made.media_type, opened(made.content).mode) == ("image/jpeg", "RGB")


def test_what_is_too_large_to_be_shown_is_made_smaller_in_proportion() -> None:
    assert opened(logo_of(drawn(size=(4000, 2000))).content).size == (800, 400)
    assert opened(logo_of(drawn(size=(3000, 300))).content).size == (BOX[0], 120)


def test_nothing_but_the_picture_is_kept() -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "<script>alert(1)</script>")
    sent = drawn(pnginfo=told) + b"%PDF-1.4 hidden behind"
    made = logo_of(sent).content
    assert b"script" in sent
    assert b"script" not in made
    assert b"hidden" not in made
    photo = Image.new("RGB", (64, 64))
    exif = photo.getexif()
    exif[0x010E] = "taken at home"
    out = BytesIO()
    photo.save(out, "JPEG", exif=exif)
    assert b"taken at home" in out.getvalue()
    assert b"taken at home" not in logo_of(out.getvalue()).content


def bomb(width: int, height: int) -> bytes:
    """A tiny PNG that says it is huge."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", "logo_not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "logo_not_a_picture"),
        (drawn("GIF", "P"), "logo_not_a_picture"),
        (drawn("WEBP"), "logo_not_a_picture"),
        (b"%PDF-1.4", "logo_not_a_picture"),
        (drawn(size=(400, 400), mode="RGB")[:-40], "logo_not_a_picture"),
        (drawn("JPEG", size=(400, 400))[:300], "logo_not_a_picture"),
        (bomb(240, 80), "logo_not_a_picture"),
        (bomb(8000, 8000), "logo_dimensions"),
        (bomb(60000, 60000), "logo_dimensions"),
        (drawn(size=(16, 16)), "logo_dimensions"),
        (drawn(size=(700, 40)), "logo_dimensions"),
        (bytes(MOST_BYTES + 1), "logo_too_large"),
    ],
)
def test_what_is_no_fit_logo_is_refused(sent: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        logo_of(sent)
    assert refused.value.code == code
