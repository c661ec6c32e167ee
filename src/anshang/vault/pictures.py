"""Photographs as they may be kept: small, and without a word of where, when and by whose device."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps

from anshang.foundation.errors import BadInput

SIDE_PX_MAX = 1600
PIXELS_MAX = 25_000_000
"""A PNG, a WebP or a progressive JPEG is decoded in full: about 8 bytes a pixel at the worst moment."""
PIXELS_MAX_REDUCED = 60_000_000
"""A baseline JPEG is reduced while it is decoded."""
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP")


def plain_jpeg(content: bytes) -> bytes:
    """The picture upright, at most 1600 px a side, as a JPEG of its pixels alone; BadInput for anything else
    than a JPEG of at most 60 megapixels or a PNG, a WebP or a progressive JPEG of at most 25.

    Decodes in at most 0.4 GB; call it one at a time.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit is below the one it warns of
            with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                upright = ImageOps.exif_transpose(_reduced(opened)).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise _unreadable() from None
    bare = Image.frombytes("RGB", upright.size, upright.tobytes())
    written = io.BytesIO()
    bare.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()


def _reduced(opened: Image.Image) -> Image.Image:
    """The picture as it lies in the file, at most 1600 px a side; nothing is decoded before its size is
    known to be allowed.
    """
    reducible = opened.format == "JPEG" and not opened.info.get("progressive")
    if opened.width * opened.height > (PIXELS_MAX_REDUCED if reducible else PIXELS_MAX):
        raise _unreadable()
    scale = SIDE_PX_MAX / max(opened.size)
    opened.draft("RGB", (max(1, int(opened.width * scale)), max(1, int(opened.height * scale))))
    if opened.mode in ("RGB", "L"):
        opened.thumbnail((SIDE_PX_MAX, SIDE_PX_MAX))
        return opened
    converted = opened.convert("RGB")
    converted.thumbnail((SIDE_PX_MAX, SIDE_PX_MAX))
    return converted


def _unreadable() -> BadInput:
    return BadInput(
        "photo.unreadable",
        en="This is no photograph: a JPEG of at most 60 megapixels, or a PNG or WebP of at most 25, is one.",
        zh="无法识别为照片：JPEG 不超过 6000 万像素，PNG、WebP 不超过 2500 万像素。",
    )
