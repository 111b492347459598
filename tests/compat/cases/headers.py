"""Section 7, headers and throttling, and section 9's placeholder and fixed answers."""

from harness.model import Expect, procedure, suite

T = suite("7 cache", "-http-cache-ttl", "600", "-mount", "{FIXTURES}", "-enable-url-source")
ZERO = suite("7 cache", "-http-cache-ttl", "0", "-mount", "{FIXTURES}")
LONGEST = suite("7 cache", "-http-cache-ttl", "31556926", "-mount", "{FIXTURES}")
CORS = suite("7 CORS", "-cors", "-mount", "{FIXTURES}")
SIZE = suite("7 return-size", "-return-size", "-mount", "{FIXTURES}")
PLAIN = suite("7 plain headers", "-mount", "{FIXTURES}")

STORE = {"cache-control": lambda value: value is not None and "no-store" in value, "expires": lambda value: True}


def date(value):
    return value is not None and value.endswith(" GMT") and value[3] == "," and len(value) == 29


PUBLIC = "public, s-maxage=600, max-age=600, no-transform"
for target in ("/resize?width=20&file=rgb.png", "/info?file=rgb.png", "/autorotate?file=exif-6.jpg", "/resize?width=20&type=auto&file=rgb.png"):
    T.get(target, must=Expect(headers={"cache-control": PUBLIC, "expires": date}), why="caching headers on GET")
    ZERO.get(target, must=Expect(headers={"cache-control": "private, no-cache, no-store, must-revalidate"}), why="zero: no caching")
    LONGEST.get(target)
    PLAIN.get(target, must=Expect(headers={"cache-control": None, "expires": None}), why="off by default")
for target in ("/", "/health", "/form"):
    T.get(target, length=True, must=Expect(headers={"cache-control": None, "expires": None}), why="not on these paths")
    ZERO.get(target, length=True, must=Expect(headers={"cache-control": None}))
T.post("/resize?width=20", "rgb.png", must=Expect(headers={"cache-control": None, "expires": None}), why="GET only")
ZERO.post("/resize?width=20", "rgb.png")
for target, status in (("/resize?width=abc&file=rgb.png", 400), ("/resize?file=rgb.png", 400), ("/resize?width=9&file=missing", 400), ("/resize?width=9&file=garbage.bin", 406), ("/resize?width=9&file=bomb.png", 422), ("/unknown", 404),
                       ("/resize?width=9&type=bmp&file=rgb.png", 400), ("/resize?width=9&url=http://{ORIGIN}/status/404", 404), ("/resize?width=9&url=http://{ORIGIN}/status/500", 500), ("/resize", 400)):
    T.get(target, fix=Expect(status=status, headers=STORE), why="FIX: errors are not cached")
PREFIX = suite("7 cache", "-http-cache-ttl", "600", "-mount", "{FIXTURES}", "-path-prefix", "/api")
PREFIX.get("/api/resize?width=20&file=rgb.png")
PREFIX.get("/api/health", length=True, why="the literal path is compared")

EMPTY = Expect(headers={"access-control-allow-origin": "*", "vary": "Origin"})  # an empty Origin: as good as any
for origin in ("http://example.com", "null", "", None):
    headers = [("Origin", origin)] if origin is not None else []
    for target in ("/resize?width=20&file=rgb.png", "/info?file=rgb.png", "/resize?width=abc&file=rgb.png", "/", "/unknown", "/resize?width=9&file=missing"):
        CORS.get(target, headers=headers, length=target == "/", why="CORS", free=EMPTY if origin == "" else ())
    CORS.post("/resize?width=20", "rgb.png", headers=headers, free=EMPTY if origin == "" else ())
    CORS.get("/resize?width=20&type=auto&file=rgb.png", headers=headers, why="FIX: Vary keeps Origin beside Accept",
             fix=Expect(status=200, headers={"vary": lambda value: value and {"accept", "origin"} <= {part.strip().lower() for part in value.split(",")}}))
    PLAIN.get("/resize?width=20&file=rgb.png", headers=headers, must=Expect(headers={"access-control-allow-origin": None, "vary": None}))

for target, size in (("/resize?width=40&file=rgb.png", ("40", "30")), ("/crop?width=33&height=21&file=rgb.png", ("33", "21")), ("/autorotate?file=exif-6.jpg", ("120", "80")), ("/convert?type=webp&file=photo.jpg", ("550", "740")),
                     ("/convert?type=png&file=size.svg", ("120", "90"))):
    SIZE.get(target, must=Expect(headers={"image-width": size[0], "image-height": size[1]}), floor=20)
for target in ("/info?file=rgb.png", "/resize?file=rgb.png", "/resize?width=abc&file=rgb.png", "/"):
    SIZE.get(target, must=Expect(headers={"image-width": None, "image-height": None}), length=target == "/", why="not on JSON, not on errors")

for kind, mime in (("jpeg", "image/jpeg"), ("png", "image/png"), ("webp", "image/webp"), ("tiff", "image/tiff")):
    PLAIN.get(f"/convert?type={kind}&file=rgb.png", must=Expect(headers={"content-type": mime, "content-length": lambda value: value and value.isdigit(), "server": lambda value: value}), why="answers carry length, type and server")
PLAIN.get("/info?file=rgb.png", must=Expect(headers={"content-type": "application/json"}))
PLAIN.get("/resize?file=rgb.png", must=Expect(headers={"content-type": "application/json"}))
PLAIN.get("/resize?width=20&file=rgb.png", headers=[("Range", "bytes=0-10")], why="no range answers")
PLAIN.get("/resize?width=20&file=rgb.png", headers=[("If-None-Match", "*")], fix=Expect(status=304), why="FIX: conditional requests are answered")
GZIP = suite("7 plain headers", "-gzip", "-mount", "{FIXTURES}")
GZIP.get("/info?file=rgb.png", headers=[("Accept-Encoding", "gzip")], must=Expect(headers={"content-encoding": None}), why="-gzip does nothing")


@procedure("7 throttle", "2 a second, bursts of 3 more", free=("resets",))
def throttle(tools):
    facts = {}
    with tools.start("-concurrency", "2", "-burst", "3", "-mount", "{FIXTURES}") as server:
        get = lambda path, method="GET": tools.send(server.port, method, path)
        answers = [get("/info?file=rgb.png") for _ in range(6)]
        facts["statuses"] = [answer.status for answer in answers]
        facts["limits"] = [answer.header("x-ratelimit-limit") for answer in answers]
        facts["remaining"] = [answer.header("x-ratelimit-remaining") for answer in answers]
        facts["resets"] = [answer.header("x-ratelimit-reset") for answer in answers]
        last = answers[-1]
        facts["over"] = (last.status, last.kind(), last.body.strip(), last.header("retry-after"))
        facts["retry only when over"] = answers[0].header("retry-after")
        facts["another endpoint"] = get("/resize?width=9&file=rgb.png").status
        facts["another method"] = tools.send(server.port, "POST", "/info", [("Content-Type", "image/png")], b"x").status
        facts["health"] = [get("/health").status for _ in range(6)]
        facts["another query"] = get("/info?file=photo.jpg").status
    return facts


@procedure("7 throttle", "1 a second without a burst")
def throttle_tight(tools):
    with tools.start("-concurrency", "1", "-burst", "0", "-mount", "{FIXTURES}") as server:
        answers = [tools.send(server.port, "GET", "/info?file=rgb.png") for _ in range(3)]
        return {"statuses": [answer.status for answer in answers], "limit": answers[0].header("x-ratelimit-limit"), "retry": answers[-1].header("retry-after")}


@procedure("7 throttle", "off")
def throttle_off(tools):
    with tools.start("-concurrency", "0", "-burst", "1", "-mount", "{FIXTURES}") as server:
        answers = [tools.send(server.port, "GET", "/info?file=rgb.png") for _ in range(8)]
        return {"statuses": [answer.status for answer in answers], "limit": answers[0].header("x-ratelimit-limit")}


# Placeholder.
BUILT_IN = suite("9 placeholder", "-enable-placeholder", "-mount", "{FIXTURES}", "-enable-url-source", "-key", "k")
OWN = suite("9 placeholder", "-placeholder", "{FIXTURES}/rgb.png", "-mount", "{FIXTURES}", "-enable-url-source")
STATUS = suite("9 placeholder", "-placeholder", "{FIXTURES}/photo.jpg", "-placeholder-status", "200", "-mount", "{FIXTURES}", "-enable-url-source", "-http-cache-ttl", "5")
for query in ("file=missing", "file=missing&width=100", "file=missing&height=50", "file=missing&width=100&height=50", "file=missing&width=0&height=0", "file=missing&width=1000&height=1000", "file=missing&width=60&type=png", "file=missing&type=webp",
              "file=missing&type=bmp", "file=missing&type=auto", "file=garbage.bin&width=30", "width=abc&file=rgb.png", "file=rgb.png", "url=http://{ORIGIN}/status/404&width=40&height=40", "url=http://{ORIGIN}/status/500/x", "",
              "file=rgb.png&type=bmp&width=20", "file=missing&width=abc", "file=missing&height=1e999", "file=missing&type=gif", "file=missing&type=svg&width=20", "file=missing&width=-50", "file=missing&rotate=90&width=50&height=20"):
    for setup, body in ((BUILT_IN, {"pixels": "skip"}), (OWN, {"floor": 20}), (STATUS, {})):
        target = f"/resize?{query}" + ("&key=k" if setup is BUILT_IN else "")
        broken = "width=abc" in query or "1e999" in query
        rest = dict(body)
        if broken:
            rest["fix"] = Expect(status=400, headers={"content-type": "application/json", "error": None})
        elif "type=gif" in query or "type=svg" in query:
            rest["fix"] = Expect(status=400, headers={"content-type": "application/json"})
        if setup is STATUS:
            if not broken and "fix" not in rest:
                rest["fix"] = Expect(status=200, format="WEBP" if "webp" in query else "PNG" if "png" in query.split("type=")[-1] and "type=" in query else "JPEG",
                                     headers={"error": lambda value: value and value.startswith('{"message":"')})
        if "type=auto" in query:  # Vary may come with more errors than the reference's
            rest["must"] = Expect(status=200 if setup is STATUS else 400, size=None, headers={"error": lambda value: value})
            rest["free"] = Expect(headers={"vary": "Accept"})
        setup.get(target, why="the placeholder answers every JSON error", **rest)
for setup in (BUILT_IN, OWN, STATUS):
    setup.get("/unknown", why="never on the unknown path", free=Expect(status=(401, 404)) if setup is BUILT_IN else (),
              **({"fix": Expect(status=404, message="Not found", headers=STORE)} if setup is STATUS else {}))
    setup.add("PUT", "/resize", why="method not allowed", **({"pixels": "skip"} if setup is BUILT_IN else {"fix": Expect(status=200, format="JPEG")} if setup is STATUS else {}))
    setup.post("/resize?width=20", b"", why="empty", **({"pixels": "skip"} if setup in (BUILT_IN, OWN) else {"fix": Expect(status=200, format="JPEG")} if setup is STATUS else {}))
BUILT_IN.get("/resize?width=50&file=rgb.png", pixels="skip", must=Expect(status=401, format="JPEG", size=(50, 400), headers={"error": '{"message":"Invalid or missing API key","status":401}'}), why="401 with the placeholder")
BUILT_IN.get("/resize?file=missing&key=k", pixels="skip", must=Expect(status=400, format="JPEG", size=(400, 400)), why="the built-in picture is 400 × 400")
OWN.get("/resize?file=missing%0D%0AX-Evil:1", why="no header injection through the Error header")
PREFIXED = suite("9 placeholder", "-placeholder", "{FIXTURES}/photo.jpg", "-placeholder-status", "418", "-mount", "{FIXTURES}", "-path-prefix", "/img", "-disable-endpoints", "crop")
PREFIXED.get("/img/crop?width=40&height=30", must=Expect(status=418, size=(40, 30)), floor=28, why="chroma is resampled straight to the size that the file holds")
PREFIXED.get("/img/resize?width=40&file=missing&type=png", floor=20)
PREFIXED.get("/img/unknown", free=Expect(status=404))
