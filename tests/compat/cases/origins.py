"""Section 6.3: allowed origins, sizes, authorization and forwarded headers."""

from harness.model import Expect, fixture, suite

GOOD = "http://{ORIGIN}/f/rgb.png"
DENIED = Expect(status=400, message_has="not allowed remote URL origin: ")


def origins(value, *rows):
    s = suite("6.3 allowed origins", "-enable-url-source", "-allowed-origins", value)
    for row in rows:
        target, why, rest = row[0], row[1], row[2] if len(row) > 2 else {}
        s.get("/info?url=" + target, why=why, **rest)
    return s


origins("http://{ORIGIN}", (GOOD, "the origin"), ("https://{ORIGIN}/f/rgb.png", "the scheme is ignored", {"free": Expect(status=400)}), ("http://{ORIGIN2}/f/rgb.png", "another port"),
        ("http://localhost:{PORT_OF_ORIGIN}/f/rgb.png", "another name"), ("http://127.0.0.1/f/rgb.png", "without the port"), ("http://{ORIGIN}.evil.com/f/rgb.png", "a longer name", {"free": (DENIED, Expect(status=400))}),
        ("http://u:p@{ORIGIN}/f/rgb.png", "userinfo is ignored", {"free": Expect(status=400)}), ("http://{ORIGIN}", "no path", {"free": Expect(status=404)}),
        ("http://{ORIGIN}/to?u=http://{ORIGIN2}/f/rgb.png", "FIX: a redirect to an origin that is not allowed", {"fix": Expect(status=400)}),
        ("http://{ORIGIN}/to?u=http://{ORIGIN}/f/rgb.png", "a redirect inside"), ("http://{ORIGIN2}/to?u=" + GOOD, "the first one is not allowed"),
        ("nonsense", "no URL", {"free": (DENIED, Expect(status=400, message="Invalid image URL"))}), ("http://evil.invalid%23@{ORIGIN}/f/rgb.png", "confusion", {"fix": Expect(status=400)}),
        ("http://evil.invalid%5C@{ORIGIN}/f/rgb.png", "confusion", {"free": Expect(status=400)}), ("http://{ORIGIN}@evil.invalid/f/rgb.png", "confusion", {"free": Expect(status=400)}))
origins("https://{ORIGIN}", (GOOD, "the scheme is ignored"))
origins("http://{ORIGIN}/img", ("http://{ORIGIN}/img/rgb.png", "inside"), ("http://{ORIGIN}/img/sub/rgb.png", "deeper"), ("http://{ORIGIN}/imgs/rgb.png", "/img means /img/"), ("http://{ORIGIN}/img", "without the slash"),
        ("http://{ORIGIN}/other/rgb.png", "outside"), ("http://{ORIGIN}/img/../secret/rgb.png", "FIX: dots", {"fix": Expect(status=400)}), ("http://{ORIGIN}/img/%252e%252e/secret/rgb.png", "FIX: encoded dots", {"fix": Expect(status=400)}),
        ("http://{ORIGIN}/img/..%252fsecret/rgb.png", "FIX: encoded slash", {"fix": Expect(status=400)}), ("http://{ORIGIN}/IMG/rgb.png", "case"), ("http://{ORIGIN}//img/rgb.png", "double slash"))
origins("http://{ORIGIN}/img/", ("http://{ORIGIN}/img/rgb.png", "inside"), ("http://{ORIGIN}/imgs/rgb.png", "outside"))
origins("http://{ORIGIN}/my-buck*", ("http://{ORIGIN}/my-bucket/rgb.png", "a plain prefix"), ("http://{ORIGIN}/my-buck/rgb.png", "a plain prefix"), ("http://{ORIGIN}/my/rgb.png", "outside"))
origins("http://{ORIGIN}/,http://{ORIGIN2}/img", (GOOD, "the first"), ("http://{ORIGIN2}/img/rgb.png", "the second"), ("http://{ORIGIN2}/f/rgb.png", "outside the second"))
origins("http://{ORIGIN2}, http://{ORIGIN}", (GOOD, "a space after the comma (FREE)", {"free": (Expect(status=200), DENIED)}))
origins("http://*.example.invalid", ("http://example.invalid/x.png", "the bare domain", {"free": Expect(status=400, message_has="error fetching")}), ("http://a.b.example.invalid/x.png", "every subdomain", {"free": Expect(status=400, message_has="error fetching")}),
        ("http://badexample.invalid/x.png", "another domain"), ("http://example.invalid.evil/x.png", "a longer one"), (GOOD, "another host"), ("http://example.invalid:8080/x.png", "with a port"))
origins("http://*.localhost:{PORT_OF_ORIGIN}", ("http://localhost:{PORT_OF_ORIGIN}/f/rgb.png", "the bare domain with its port"), ("http://localhost:1/f/rgb.png", "another port"))
origins("http://a,http://{ORIGIN}", (GOOD, "FIX: one-letter hosts", {"fix": Expect(status=200)}), ("http://b/x", "one-letter hosts", {"fix": Expect(status=400)}))
origins("http://*.example.invalid/img/,http://{ORIGIN}/img/", ("http://x.example.invalid/img/a.png", "a path behind a wildcard", {"free": Expect(status=400, message_has="error fetching")}), ("http://x.example.invalid/other/a.png", "outside"), (GOOD, "outside"))

SIZE = len(fixture("rgb.png"))
for limit in (SIZE, SIZE - 1, 1000, 0):
    s = suite("6.3 sizes", "-enable-url-source", "-max-allowed-size", str(limit))
    s.get("/info?url=" + GOOD, why="Content-Length against the limit")
    s.get("/info?url=http://{ORIGIN}/f/mark.png", why="Content-Length against the limit")
    for how in ("nolength", "chunked", "headlie"):
        over = 0 < limit < SIZE
        s.get("/info?url=http://{ORIGIN}/" + how + "/rgb.png", why="FIX: missing and false lengths", fix=Expect(status=(400, 413) if over else 200))
    s.get("/info?url=http://{ORIGIN}/headfail/rgb.png", why="HEAD fails", free=Expect(status=(200, 400) if not 0 < limit < SIZE else 400))
    s.get("/info?url=http://{ORIGIN}/status/404/rgb.png", why="a failing source", free=Expect(status=404))
    s.get("/info?url=http://{ORIGIN}/redirect/2/rgb.png", why="through redirects")
    s.post("/info", "rgb.png", why="uploads are not limited by it")


def need(header, value):
    return "/info?url=http://{ORIGIN}/need?h=" + header + "%26v=" + value.replace(" ", "%2520") + "%26f=rgb.png"


AUTH = suite("6.3 authorization", "-enable-url-source", "-enable-auth-forwarding")
CONST = suite("6.3 authorization", "-enable-url-source", "-authorization", "Basic const", "-enable-auth-forwarding")
HEADERS = suite("6.3 authorization", "-enable-url-source", "-forward-headers", "X-Custom, X-Token,,X-Third")
for headers, wanted, why in (
    ([("Authorization", "Bearer a")], "Bearer a", "forwarded"), ([("X-Forward-Authorization", "Bearer b")], "Bearer b", "forwarded"),
    ([("Authorization", "Bearer a"), ("X-Forward-Authorization", "Bearer b")], "Bearer b", "X-Forward-Authorization wins"), ([], "Bearer a", "nothing to forward"),
):
    # An answer that depends on a credential may say so in Vary.
    varied = Expect(status=200, json={"width": 160}, headers={"vary": lambda value: value and "uthorization" in value})
    AUTH.get(need("Authorization", wanted), headers=headers, why=why, free=varied)
    CONST.get(need("Authorization", "Basic const"), headers=headers, why="the constant wins over forwarding")
AUTH.get("/info?url=http://{ORIGIN}/to?u=http://{ORIGIN2}/absent?h=Authorization%2526f=rgb.png", headers=[("Authorization", "Bearer a")], fix=Expect(status=200), why="not sent to another host or port")
CONST.get("/info?url=http://{ORIGIN}/to?u=http://{ORIGIN2}/absent?h=Authorization%2526f=rgb.png", fix=Expect(status=200), why="not sent to another host or port")
AUTH.get("/info?url=http://{ORIGIN}/to?u=http://{ORIGIN}/need?h=Authorization%2526v=Bearer%252520a%2526f=rgb.png", headers=[("Authorization", "Bearer a")], free=Expect(status=200), why="kept inside one origin")
for name in ("X-Custom", "X-Token", "X-Third"):
    HEADERS.get(need(name, "v1"), headers=[(name, "v1")], why="forwarded headers, names trimmed", free=Expect(status=200, json={"width": 160}, headers={"vary": name}))
    HEADERS.get(need(name, "v1"), why="absent from the request")
HEADERS.get("/info?url=http://{ORIGIN}/absent?h=X-Other%26f=rgb.png", headers=[("X-Other", "v")], why="not listed")
HEADERS.get("/info?url=http://{ORIGIN}/absent?h=Authorization%26f=rgb.png", headers=[("Authorization", "v")], why="not listed")
HEADERS.get(need("X-Custom", "v1"), headers=[("x-custom", "v1")], why="the request's spelling is free", free=Expect(status=200, json={"width": 160}))
suite("6.3 authorization", "-enable-url-source", "-forward-headers", "x-lower").get(need("X-Lower", "v1"), headers=[("X-Lower", "v1")], free=Expect(status=200), why="case-insensitive (FREE)")
suite("6.3 authorization", "-enable-url-source", "-authorization", "Basic only").get(need("Authorization", "Basic only"), headers=[("Authorization", "Bearer x")], why="the constant alone")
