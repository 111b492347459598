"""Reading answers' pictures and measuring how far two of them are apart. Pillow only."""

import copy
import io
import math

from PIL import Image, ImageChops, ImageOps, ImageStat

Image.MAX_IMAGE_PIXELS = None


class Picture:
    def __init__(self, data, upright=False):
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            self.format, self.mode, self.size = image.format, image.mode, image.size
            info = image.info
            self.alpha = "A" in image.getbands() or "transparency" in info
            self.indexed = image.mode == "P"
            self.icc = bool(info.get("icc_profile"))
            tags = image.getexif()
            self.exif = bool(info.get("exif"))
            self.orientation = tags.get(0x0112) or 1
            self.thumbnail = b"\xff\xd8\xff" in (info.get("exif") or b"")
            self.gps = bool(tags.get_ifd(0x8825))
            self.progressive = bool(info.get("progressive") or info.get("interlace"))
            self.sampling = None
            if self.format == "JPEG" and len(image.layer) == 3:
                self.sampling = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0"}.get(image.layer[0][1:3], "other")
            if upright:
                image = ImageOps.exif_transpose(image)
            if image.mode.startswith("I"):
                image = image.convert("I").point(lambda value: value / 257).convert("L")
            self.rgba = image.convert("RGBA")

    def premultiplied(self):
        return self.rgba.convert("RGBa")

    def quads(self):
        """Mean R, G, B, A (premultiplied, 0–255) of the four quadrants: top left, top right, bottom left, bottom right."""
        image, (width, height) = self.premultiplied(), self.size
        across, down = max(width // 2, 1), max(height // 2, 1)
        boxes = [(0, 0, across, down), (width - across, 0, width, down)]
        boxes += [(x0, height - down, x1, height) for x0, _, x1, _ in boxes]
        return [[round(mean, 1) for mean in ImageStat.Stat(channels(image.crop(box))).mean] for box in boxes]

    def resized(self, size):
        """What an ideal antialiased resampling to this size gives (Lanczos3 over premultiplied colours)."""
        other = copy.copy(self)
        other.size = size
        other.rgba = self.premultiplied().resize(size, Image.LANCZOS).convert("RGBA")
        return other

    def as_jpeg(self):
        """The same picture after a JPEG of the default quality."""
        out = io.BytesIO()
        self.rgba.convert("RGB").save(out, "JPEG", quality=75, subsampling=2)
        return Picture(out.getvalue())

    def pixel(self, x, y):
        return self.rgba.getpixel((x, y))


def channels(image):
    """The same four channels under a mode that statistics and arithmetic accept."""
    return Image.frombytes("RGBA", image.size, image.tobytes()) if image.mode == "RGBa" else image


def psnr(one, two):
    """Over premultiplied R, G, B and, when either has it, alpha; dB, inf for equal pictures."""
    a, b = channels(one.premultiplied()), channels(two.premultiplied())
    squares = ImageStat.Stat(ImageChops.difference(a, b)).sum2
    count = 4 if one.alpha or two.alpha else 3
    mean = sum(squares[:count]) / (count * one.size[0] * one.size[1])
    return math.inf if mean == 0 else 10 * math.log10(255 * 255 / mean)
