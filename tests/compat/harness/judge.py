"""Two answers in, a list of differences out."""

import dataclasses
import json
import re

from .model import fixture
from .picture import Picture, psnr

HEADERS = ("content-type", "cache-control", "access-control-allow-origin", "error", "image-width", "image-height",
           "x-ratelimit-limit", "retry-after")
SHORT = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/tiff": "TIFF", "image/gif": "GIF"}


@dataclasses.dataclass
class Seen:
    """An answer with its picture, when it has one that Pillow reads."""

    answer: object
    picture: object = None
    broken: str = ""

    @classmethod
    def of(cls, answer):
        seen = cls(answer)
        if answer.kind().startswith("image/") and answer.kind() in SHORT:
            try:
                seen.picture = Picture(answer.body)
            except Exception as error:  # a picture that cannot be read is a finding
                seen.broken = f"unreadable picture: {error}"
        return seen

    def show(self):
        answer, picture = self.answer, self.picture
        if picture:
            return f"{answer.status} {picture.format} {picture.mode} {picture.size[0]}x{picture.size[1]} {len(answer.body)}B"
        text = answer.body[:300].decode("utf-8", "replace").strip()
        return f"{answer.status} {answer.kind()} {text or answer.error}{self.broken}"


def listed(value):
    return value if isinstance(value, (tuple, list)) else (value,)


def meets(expect, seen, expand=lambda text: text):
    """Differences between an answer and an Expect."""
    wrong, answer, picture = [], seen.answer, seen.picture
    if expect.status is not None and answer.status not in listed(expect.status):
        wrong.append(f"status {answer.status}, not {expect.status}")
    message = answer.message()
    if expect.message is not None and message not in [expand(text) for text in listed(expect.message)]:
        wrong.append(f"message {message!r}, not {expect.message!r}")
    if expect.message_has is not None and expand(expect.message_has).lower() not in (message or "").lower():
        wrong.append(f"message {message!r} without {expect.message_has!r}")
    if expect.body_has is not None and expand(expect.body_has) not in answer.body.decode("utf-8", "replace"):
        wrong.append(f"body without {expect.body_has!r}")
    for name, value in (expect.headers or {}).items():
        got = answer.header(name)
        if not (value(got) if callable(value) else got == value):
            wrong.append(f"header {name}: {got!r}" + ("" if callable(value) else f", not {value!r}"))
    if expect.json is not None:
        body = answer.json() or {}
        wrong += [f"{key}: {body.get(key)!r}, not {value!r}" for key, value in expect.json.items() if body.get(key) != value]
    fields = ("size", "format", "alpha", "orientation", "icc", "exif", "pixels")
    if any(getattr(expect, name) is not None for name in fields):
        if picture is None:
            return wrong + ([] if wrong else [seen.broken or "no picture"])
        for name in fields[:-1]:
            value = getattr(expect, name)
            if value is not None and getattr(picture, name) != value:
                wrong.append(f"{name} {getattr(picture, name)}, not {value}")
        if expect.pixels is not None and (fault := expect.pixels(picture)):
            wrong.append(fault)
    return wrong


def ideal(case, subject, floor):
    """The reference shrinks by whole numbers first and drops what is left over; a true resampling of the whole picture is
    as good. Only for pictures without a profile or a turn of their own; anything else just does not look alike."""
    if not isinstance(case.body, str):
        return False
    try:
        wanted = Picture(fixture(case.body), upright=True).resized(subject.size)
        return psnr(wanted.as_jpeg() if subject.format == "JPEG" else wanted, subject) >= floor
    except Exception:  # a source that Pillow does not read
        return False


def floor_of(case, picture):
    if case.floor:
        return case.floor
    if picture.format in ("JPEG", "WEBP"):
        return 29.0
    return 45.0 if case.exact else 31.0


def alike(case, reference, subject):
    """Differences between the subject's answer and the reference's."""
    ours, theirs, wrong = subject.answer, reference.answer, []
    if ours.status != theirs.status:
        return [f"status {ours.status}, reference {theirs.status}"]
    for name in HEADERS:
        if ours.header(name) != theirs.header(name):
            if name == "content-type" and ours.kind() == theirs.kind():
                continue
            # docs/compatibility.md: an error is never kept by a cache, whatever the reference says or leaves out.
            if name == "cache-control" and ours.status >= 400 and ours.header(name) == "no-store":
                continue
            wrong.append(f"header {name}: {ours.header(name)!r}, reference {theirs.header(name)!r}")

    def vary(answer):
        return {part.strip().lower() for part in (answer.header("vary") or "").split(",") if part.strip()}

    if vary(ours) != vary(theirs):
        wrong.append(f"header vary: {ours.header('vary')!r}, reference {theirs.header('vary')!r}")
    if case.length:
        return wrong
    a, b = reference.picture, subject.picture
    if b is None or a is None:
        if subject.broken:
            wrong.append(subject.broken)
        elif ours.kind() == "application/json":
            wrong += json_alike(theirs, ours)
        elif ours.body != theirs.body:
            wrong.append("body differs")
        return wrong
    if b.format != a.format:
        wrong.append(f"format {b.format}, reference {a.format}")
    if b.alpha != a.alpha:
        wrong.append(f"alpha {b.alpha}, reference {a.alpha}")
    if b.icc != a.icc:
        wrong.append(f"ICC profile {b.icc}, reference {a.icc}")
    if case.palette and a.indexed != b.indexed:
        wrong.append(f"indexed {b.indexed}, reference {a.indexed}")
    if case.metadata:
        for name in ("orientation", "gps"):
            if getattr(a, name) != getattr(b, name):
                wrong.append(f"{name} {getattr(b, name)}, reference {getattr(a, name)}")
    if a.size != b.size:
        if max(abs(a.size[0] - b.size[0]), abs(a.size[1] - b.size[1])) > case.slack:
            wrong.append(f"size {b.size}, reference {a.size}")
        return wrong
    if case.pixels == "psnr":
        got, floor = psnr(a, b), floor_of(case, b)
        if got < floor and not ideal(case, b, floor):
            wrong.append(f"PSNR {got:.1f} dB, floor {floor:.0f}")
    elif case.pixels == "near":
        far = max(abs(x - y) for p, q in zip(a.quads(), b.quads()) for x, y in zip(p, q))
        if far > 12:
            wrong.append(f"quadrant means differ by {far:.1f}")
    return wrong


FREE_TAILS = (
    # Go's own words behind a fixed beginning.
    re.compile(r"^error fetching remote http image(?: headers)?: (?!\(status=)"),
    re.compile(r'^Error while processing parameters, error while processing parameter "operations" with value ".*", error: ', re.S),
    # The value shown for a JSON value of a wrong kind.
    re.compile(r'^Error while processing the image: error while processing parameter "[^"]*" with value (?=.*, error: unsupported value$)', re.S),
)


def contract(message):
    """The part of a message that is contract, and whether that is all of it."""
    for tail in FREE_TAILS:
        if message and (match := tail.match(message)) and match.end() < len(message):
            return match[0], False
    return message, True


def json_alike(theirs, ours):
    if ours.body.strip() == theirs.body.strip():
        return []
    one, two = theirs.message(), ours.message()
    if one is not None and one == two and theirs.json() == ours.json():
        return [f"same JSON, other bytes: {ours.body[:200]!r}, reference {theirs.body[:200]!r}"]
    if one is not None and two is not None and not contract(one)[1] and contract(one) == contract(two):
        return []
    return [f"body {json.dumps(ours.json(), ensure_ascii=False) or ours.body[:200]}, reference "
            f"{json.dumps(theirs.json(), ensure_ascii=False)}"]


def judge(case, reference, subject, expand=lambda text: text):
    """All differences; empty when the subject answers as it must."""
    if subject.answer.status == 0 and not (case.fix and case.fix.status == 0):
        return [f"no answer: {subject.answer.error}"]
    wrong = meets(case.must, subject, expand) if case.must else []
    if case.fix:
        return wrong + meets(case.fix, subject, expand) + ([subject.broken] if subject.broken else [])
    if any(not meets(option, subject, expand) for option in case.free):
        return wrong
    if reference is None:
        return wrong + (["server error"] if subject.answer.status == 500 else [])
    return wrong + alike(case, reference, subject)
