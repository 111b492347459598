"""What a case is: a request, the flags it runs under, and what may differ from the reference.

A case file makes a `suite(section, flags…)` and calls its methods; everything registers itself in `CASES` and
`PROCEDURES`. Text may hold {ORIGIN}, {ORIGIN2} (the fake origins, host:port), {FIXTURES} (a directory) and {TMP}.
"""

import dataclasses
import pathlib

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"
CASES = []
PROCEDURES = []


@dataclasses.dataclass(frozen=True)
class Expect:
    """An answer described in part: only the fields that are given are checked."""

    status: object = None  # a number or a tuple of numbers
    message: object = None  # the JSON body's message, exactly
    message_has: object = None  # a part of the JSON body's message, any case
    body_has: object = None  # a part of the body, as text
    size: object = None  # (width, height)
    format: object = None  # JPEG PNG WEBP TIFF …
    alpha: object = None
    headers: object = None  # name → exact value, None for absent, or a function of the value that says yes or no
    orientation: object = None  # EXIF tag of the answer; 1 also stands for "no tag"
    icc: object = None
    exif: object = None
    json: object = None  # keys and values that the JSON body holds
    pixels: object = None  # function (picture) → None or what is wrong


@dataclasses.dataclass(frozen=True)
class Scenario:
    """How the server is started."""

    flags: tuple = ()
    env: tuple = ()


@dataclasses.dataclass
class Case:
    section: str
    scenario: Scenario
    method: str
    target: str
    headers: tuple = ()
    body: object = None  # bytes, or a fixture's name
    chunked: bool = False
    fix: object = None  # an Expect that stands in place of the reference's answer
    free: tuple = ()  # Expects, each as good as the reference's answer
    must: object = None  # an Expect that holds as well as likeness with the reference
    why: str = ""
    exact: bool = False  # no resampling: 45 dB
    pixels: str = "psnr"  # or "near" (quadrant means) or "skip"
    floor: float = 0.0  # another PSNR floor than the usual
    slack: int = 0  # pixels by which each side may differ
    metadata: bool = False  # compare EXIF presence and orientation too
    palette: bool = False  # compare whether the answer is indexed
    length: bool = False  # compare only the status and the headers, the body freely
    recordable: bool = True

    @property
    def name(self):
        parts = [self.method, self.target if len(self.target) < 180 else self.target[:170] + "…"]
        if isinstance(self.body, str):
            parts.append("< " + self.body)
        parts += [f"{name}: {value[:60]}" for name, value in self.headers]
        return " ".join(parts)

    def body_bytes(self, expand):
        if isinstance(self.body, str):
            return (FIXTURES / self.body).read_bytes()
        if isinstance(self.body, bytes):
            return expand(self.body.decode("latin-1")).encode("latin-1") if b"{ORIGIN" in self.body else self.body
        return None


@dataclasses.dataclass
class Procedure:
    """Something that is no single request: `run(tools)` returns facts (a dict), which are compared key by key."""

    section: str
    name: str
    run: object
    fix: dict = dataclasses.field(default_factory=dict)  # key → value, or a function of the value
    free: tuple = ()  # keys that are shown and never compared
    why: str = ""


class Suite:
    """Cases of one section under one set of flags."""

    def __init__(self, section, flags=(), env=()):
        self.section = section
        self.scenario = Scenario(tuple(flags), tuple(env))

    def add(self, method, target, body=None, headers=(), type=None, **rest):
        headers = tuple(headers)
        if type:
            headers += (("Content-Type", type),)
        elif body is not None and not any(name.lower() == "content-type" for name, _ in headers):
            headers += (("Content-Type", "application/octet-stream"),)
        if isinstance(rest.get("free"), Expect):
            rest["free"] = (rest["free"],)
        case = Case(self.section, self.scenario, method, target, headers, body, **rest)
        CASES.append(case)
        return case

    def get(self, target, **rest):
        return self.add("GET", target, **rest)

    def post(self, target, body, **rest):
        return self.add("POST", target, body, **rest)


def suite(section, *flags, env=()):
    return Suite(section, flags, env)


def procedure(section, name, **rest):
    """Decorator: registers a function of `tools` as a procedure."""

    def register(function):
        PROCEDURES.append(Procedure(section, name, function, **rest))
        return function

    return register


def multipart(*parts, boundary="phasorboundary", close=True):
    """A form body from (name, filename or None, content type or None, bytes); → (content type, bytes)."""
    out = b""
    for name, filename, kind, data in parts:
        out += f"--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"".encode()
        if filename is not None:
            out += f'; filename="{filename}"'.encode()
        out += (f"\r\nContent-Type: {kind}" if kind else "").encode() + b"\r\n\r\n" + data + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", out + (f"--{boundary}--\r\n".encode() if close else b"")


def fixture(name):
    return (FIXTURES / name).read_bytes()
