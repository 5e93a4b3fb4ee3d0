"""A logo as it was sent becomes one that may be shown: decoded, made smaller, written anew. Pure.

What is written anew holds pixels and nothing else: no script, no second file behind the picture, no place where it was taken.
"""

import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from chassis.errors import Invalid

MOST_BYTES = 700_000
LEAST_SIDE, MOST_SIDE, MOST_PIXELS = 32, 8_000, 16_000_000
LONGEST = 10  # to 1
BOX = (1_200, 400)  # sharp at 50 mm of paper and on any screen
MADE_BYTES = 900_000
TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}


@dataclass(frozen=True, slots=True)
class Logo:
    media_type: str
    content: bytes


def logo_of(sent: bytes) -> Logo:
    """Errors: `logo_too_large`, `logo_not_a_picture`, `logo_dimensions` (422)."""
    if len(sent) > MOST_BYTES:
        raise Invalid("logo_too_large", f"A logo may have {MOST_BYTES // 1000} kB at most. Save it smaller.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # its own bound is far above ours
            with Image.open(BytesIO(sent), formats=list(TYPES)) as picture:
                # The head says how large it is; nothing is decoded before that is known to be little.
                _check(*picture.size)
                picture.load()
                return _anew(picture, picture.format or "")
    except Image.DecompressionBombError as error:  # so large that it was not even opened
        raise Invalid("logo_dimensions", f"A logo has {MOST_SIDE:,} pixels a side at most.") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Invalid(
            "logo_not_a_picture", "This is no PNG or JPEG that can be read whole. Export the logo as a PNG."
        ) from error


def _check(width: int, height: int) -> None:
    short, long = sorted((width, height))
    if short < LEAST_SIDE or long > MOST_SIDE or width * height > MOST_PIXELS or long > LONGEST * short:
        raise Invalid(
            "logo_dimensions",
            f"A logo has {LEAST_SIDE} to {MOST_SIDE:,} pixels a side, {MOST_PIXELS // 1_000_000} million in all at most, "
            f"and is at most {LONGEST} times as long as it is high; this one has {width} by {height}.",
        )


def _anew(picture: Image.Image, kind: str) -> Logo:
    clear = kind == "PNG" and picture.has_transparency_data
    mode = "RGBA" if clear else "RGB"
    made = _in_srgb(ImageOps.exif_transpose(picture), mode)
    made.thumbnail(BOX, Image.Resampling.LANCZOS)
    out = BytesIO()
    if kind == "PNG":
        Image.frombytes(mode, made.size, made.tobytes()).save(out, "PNG", optimize=True)
    if kind == "JPEG" or (out.tell() > MADE_BYTES and not clear):
        kind, out = "JPEG", BytesIO()
        Image.frombytes(mode, made.size, made.tobytes()).save(out, "JPEG", quality=90)
    if out.tell() > MADE_BYTES:
        raise Invalid("logo_too_large", "This logo does not become small enough. Save it with fewer colours.")
    return Logo(TYPES[kind], out.getvalue())


def _in_srgb(picture: Image.Image, mode: str) -> Image.Image:
    """Colours as screens and paper without a profile show them."""
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except ImageCms.PyCMSError:
            converted = None
        if converted is not None:
            return converted.convert(mode)
    return picture.convert(mode)
