"""Section 2: which check comes first; routes, methods, raw request forms."""

from harness.model import Expect, procedure, suite

PLAIN = suite("2 order of checks")
FULL = suite("2 order of checks", "-mount", "{FIXTURES}", "-enable-url-source")
KEYED = suite("2 order of checks", "-key", "secret", "-disable-endpoints", "crop", "-mount", "{FIXTURES}")
SIGNED = suite("2 order of checks", "-enable-url-signature", "-url-signature-key", "4f46feebafc4b5e988f131c4ff8b5997", "-key", "secret")
CORS = suite("2 order of checks", "-cors", "-mount", "{FIXTURES}")

ENDPOINTS = ("resize fit enlarge extract crop smartcrop thumbnail zoom rotate autorotate flip flop convert watermark "
             "watermarkimage blur info pipeline").split()

for name in ENDPOINTS:
    PLAIN.get(f"/{name}?width=10", why="GET without a source that allows it")
    PLAIN.post(f"/{name}", b"", why="an empty body is the first complaint")
    PLAIN.post(f"/{name}", "garbage.bin", why="the media type is")
    PLAIN.post(f"/{name}", "rgb.png", pixels="near", why="then the operation's required parameters")
    FULL.get(f"/{name}", why="GET without file and url")
    FULL.get(f"/{name}?file=rgb.png&factor=1&areawidth=50&areaheight=40&width=64&height=64&type=png&rotate=90&sigma=1&text=x"
             "&image=http://{ORIGIN}/f/mark.png", pixels="near", why="everything that the endpoint needs is there",
             **({"fix": Expect(status=200, format="PNG")} if name.startswith("watermark") else {}))
for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"):
    for path in ("/resize?width=10", "/", "/health", "/form"):
        FULL.add(method, path, why="only GET and POST", free=Expect(status=(200, 204)) if method == "HEAD" else ())
    PLAIN.add(method, "/resize?width=10", why="only GET and POST")
CORS.add("OPTIONS", "/resize", headers=[("Origin", "http://a"), ("Access-Control-Request-Method", "POST")],
         fix=Expect(status=(200, 204), headers={"access-control-allow-origin": "*", "access-control-allow-methods": lambda v: v and "POST" in v}),
         why="FIX: a preflight is answered")
CORS.add("OPTIONS", "/resize", why="no preflight without its header", free=Expect(status=(200, 204, 405)))

for path in ("/unknown", "/resize/", "/resize/extra", "/Resize", "/health/", "/form/", "/resizeX", "/.resize", "/resize.jpg", "/favicon.ico"):
    FULL.get(path + "?width=10&file=rgb.png", why="unknown path")
    PLAIN.get(path)
    PLAIN.post(path, "rgb.png")
for path in ("//resize", "/./resize", "/x/../resize", "/resize//"):
    FULL.get(path + "?width=10&file=rgb.png", free=Expect(status=404), why="301 in the reference, 404 is fine")
FULL.get("/%72esize?width=10&file=rgb.png", floor=25, free=Expect(status=404), why="a path with needless escapes")
FULL.get("/resize%2F?width=10&file=rgb.png", free=Expect(status=404))

for target, headers, why in (
    ("/resize?width=10&file=rgb.png", (), "no key"),
    ("/crop?width=10&file=rgb.png", (), "the key is asked for before the disabled endpoint"),
    ("/crop?width=10&file=rgb.png&key=secret", (), "the key fits, the endpoint is off"),
    ("/crop?width=abc&file=missing&key=secret", (), "an endpoint that is off looks at nothing else"),
    ("/resize?width=abc&file=missing.png&key=secret", (), "the source before the parameters (FREE)"),
    ("/unknown", (), "unknown path without the key"),
    ("/unknown?key=secret", (), "unknown path with the key"),
    ("/health", (), "the key guards every route"),
    ("/", (), "the key guards every route"),
    ("/form", (("API-Key", "wrong"),), "the key guards every route"),
):
    free = Expect(status=400) if "missing.png" in target else Expect(status=(200, 404)) if target in ("/health", "/unknown") else ()
    KEYED.get(target, headers=headers, why=why, free=free, length="health" in target)
KEYED.add("PUT", "/resize", why="the method before the key", free=Expect(status=(401,)))
for target in ("/resize?width=10", "/resize?width=10&key=secret", "/resize?width=10&sign=AAAA", "/resize?sign=%21", "/info"):
    SIGNED.get(target, why="the signature comes before everything else")
    SIGNED.post(target, "rgb.png", why="the signature comes before everything else")
SIGNED.get("/health", why="not signed, but keyed", free=Expect(status=200))
SIGNED.get("/health?key=secret", length=True)
SIGNED.get("/unknown?key=secret", free=Expect(status=404))

# Empty before media type before parameters before type before header before resolution before required ones.
PLAIN.post("/resize?width=abc", b"", why="empty input before the parameters", free=Expect(status=400))
PLAIN.post("/resize?width=abc", "garbage.bin", free=Expect(status=400), why="FREE order: media type against parameters")
PLAIN.post("/resize?type=bmp", "garbage.bin", why="the media type before the output type", free=Expect(status=400, message="Unsupported output image format"))
PLAIN.post("/resize?type=bmp&width=abc", "rgb.png", why="parameters before the output type")
PLAIN.post("/resize?type=bmp", "truncated.png", why="the output type before reading the header")
PLAIN.post("/resize?type=bmp", "bomb.png", why="the output type before the resolution")
PLAIN.post("/resize", "bomb.png", why="resolution against required parameters (FREE)", free=Expect(status=(400, 422)))
PLAIN.post("/resize?width=100", "bomb.png", why="the resolution limit")
PLAIN.post("/info", "bomb.png", why="the resolution limit holds for /info too")
PLAIN.post("/pipeline", "bomb.png", free=Expect(status=400))
for body in ("tiny-1x1.png", b"\xff", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"%PDF-1.4", b"<svg", b"\xff" * 12, b"II*\0"):
    free = (Expect(status=(400, 406)),) if not isinstance(body, str) else ()
    PLAIN.post("/resize?width=5&type=png", body, free=free, why="small and cut inputs", slack=1)

for target, body in (("/", None), ("/health", None), ("/form", None)):
    FULL.get(target, length=True, why="fixed routes")
    FULL.post(target, b"x", length=True, why="fixed routes take POST too")
FULL.get("/", must=Expect(status=200, headers={"content-type": "application/json"}, body_has='"imaginary":'), length=True)
FULL.get("/", must=Expect(body_has='"bimg":'), length=True)
FULL.get("/", must=Expect(body_has='"libvips":'), length=True)
FULL.get("/health", must=Expect(status=200, headers={"content-type": "application/json"}), length=True)
for key in ("uptime allocatedMemory totalAllocatedMemory goroutines completedGCCycles cpus maxHeapUsage heapInUse objectsInUse "
            "OSMemoryObtained").split():
    FULL.get("/health", must=Expect(body_has=f'"{key}":'), length=True, why="a key that dashboards read")
for action in ("/resize?width=300&height=200&type=jpeg", "/resize?width=300&height=200&force=true", "/crop?width=300&quality=95",
               "/crop?width=300&height=260&quality=95&gravity=smart", "/extract?top=100&left=100&areawidth=300&areaheight=150",
               "/enlarge?width=1440&height=900&quality=95", "/rotate?rotate=180", "/autorotate?quality=90", "/flip?", "/flop?",
               "/thumbnail?width=100", "/zoom?factor=2&areawidth=300&top=80&left=80", "/resize?width=400&height=300&colorspace=bw",
               "/watermark?textwidth=100&text=Hello&font=sans%2012&opacity=0.5&color=255,200,50", "/convert?type=png", "/info?",
               "/blur?sigma=15.0&minampl=0.2", "/pipeline?operations="):
    FULL.get("/form", must=Expect(body_has=f'action="{action}'), length=True, why="a form target of the page")


@procedure("2 order of checks", "keep-alive, Expect: 100-continue and large request heads",
           fix={"a URL of 200000 bytes": 431, "a URL of 900000 bytes": 431},
           why="URLs up to 64 KiB are taken; limits of the HTTP library")
def connection(tools):
    from harness.model import fixture

    body, facts = fixture("rgb.png"), {}
    with tools.start() as server:
        head = b"POST /info HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        both = tools.raw(server.port, head + body + head[:-2] + b"Connection: close\r\n\r\n" + body)
        facts["answers on one connection"] = both.count(b"HTTP/1.1 200 OK")
        ask = head[:-2] + b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        facts["continue"] = b"200 OK" in tools.raw(server.port, ask + body)
        for size in (20_000, 200_000, 900_000):
            answer = tools.send(server.port, "POST", "/info?x=" + "a" * size, [("Content-Type", "image/png")], body)
            facts[f"a URL of {size} bytes"] = answer.status
        many = [(f"X-H{index}", "v" * 100) for index in range(80)]
        facts["80 headers"] = tools.send(server.port, "POST", "/info", many, body).status
        answer = tools.raw(server.port, b"POST /info HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        facts["HTTP/1.0"] = answer.split(b" ")[1] if b" " in answer else answer
        answer = tools.raw(server.port, b"GET /info HTTP/1.1\r\nConnection: close\r\n\r\n")
        facts["HTTP/1.1 without Host"] = answer.split(b" ")[1] if b" " in answer else answer
    return facts
