"""Section 8: API key and signature; disabled endpoints and the path prefix."""

import base64
import hashlib
import hmac
import urllib.parse

from harness.model import Expect, suite

SECRET = "4f46feebafc4b5e988f131c4ff8b5997"
K = suite("8 API key", "-key", "secret key", "-mount", "{FIXTURES}")
S = suite("8 signature", "-enable-url-signature", "-url-signature-key", SECRET, "-mount", "{FIXTURES}", "-enable-url-source")
SP = suite("8 signature", "-enable-url-signature", "-url-signature-key", SECRET, "-mount", "{FIXTURES}", "-path-prefix", "/api/v1")
SE = suite("8 signature", "-enable-url-signature", "-url-signature-key", "x" * 40, "-mount", "{FIXTURES}", env=(("URL_SIGNATURE_KEY", SECRET),))
OFF = suite("8 signature", "-url-signature-key", SECRET, "-mount", "{FIXTURES}")
D = suite("2 disabled endpoints", "-disable-endpoints", " form, CROP,,health,resize", "-mount", "{FIXTURES}")
OK = "/info?file=rgb.png"

for target, headers, why in (
    (OK, [], "none"), (OK, [("API-Key", "secret key")], "header"), (OK, [("api-key", "secret key")], "header, any case"), (OK, [("API-Key", "wrong")], "wrong header"), (OK, [("API-Key", "")], "empty header"),
    (OK + "&key=secret+key", [], "parameter"), (OK + "&key=secret%20key", [], "parameter"), (OK + "&key=wrong", [], "wrong parameter"), (OK + "&key=", [], "empty parameter"), (OK + "&KEY=secret+key", [], "names are case-sensitive"),
    (OK + "&key=secret+key", [("API-Key", "wrong")], "the header comes first"), (OK + "&key=wrong", [("API-Key", "secret key")], "the header comes first"), (OK + "&key=secret+key", [("API-Key", "")], "an empty header counts as absent"),
    (OK + "&key=wrong&key=secret+key", [], "the first parameter"), (OK + "&key=secret+key&key=wrong", [], "the first parameter"), (OK, [("API-Key", "Secret Key")], "case"), (OK, [("API-Key", " secret key ")], "spaces around a header value"),
    (OK, [("Authorization", "secret key")], "another header"), ("/unknown", [("API-Key", "secret key")], "unknown path"), ("/form?key=secret+key", [], "every route"), ("/?key=secret+key", [], "every route"),
):
    K.get(target, headers=headers, why=why, length=target.startswith(("/form", "/?")))
K.post("/info?key=secret+key", "rgb.png")
K.post("/info", "rgb.png", headers=[("API-Key", "secret key")])
K.post("/info", b"key=secret+key", type="application/x-www-form-urlencoded", why="a form field is no parameter")
for target in ("/", "/form", "/health"):
    K.get(target, why="every route", free=Expect(status=200) if target == "/health" else ())
PLAIN = suite("8 API key", "-mount", "{FIXTURES}")
PLAIN.get(OK + "&key=", why="no key set: an empty one is fine")
PLAIN.get(OK + "&key=whatever", headers=[("API-Key", "whatever")], why="no key set: any is fine")


def canonical(path, query):
    pairs = [pair for pair in urllib.parse.parse_qsl(query, keep_blank_values=True) if pair[0] != "sign"]
    encoded = "&".join(f"{urllib.parse.quote_plus(name, safe='~')}={urllib.parse.quote_plus(value, safe='~')}" for name, value in sorted(pairs, key=lambda pair: pair[0]))
    return urllib.parse.unquote(path) + encoded


def sign(path, query, key=SECRET):
    mac = hmac.new(key.encode(), canonical(path, query).encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def signed(path, query):
    return f"{path}?{query}&sign={sign(path, query)}" if query else f"{path}?sign={sign(path, query)}"


GOOD = signed("/resize", "width=40&file=rgb.png")
for path, query, why in (
    ("/resize", "width=40&file=rgb.png", "plain"), ("/resize", "file=rgb.png&width=40", "another order"), ("/info", "file=rgb.png", "info"), ("/resize", "width=40&file=rgb.png&text=a+b%20c", "spaces"),
    ("/resize", "width=40&file=rgb.png&text=%C3%BC%E4%BD%A0", "not ASCII"), ("/resize", "width=40&file=rgb.png&text=a~b-c_d.e*f'g(h)i!j", "unreserved and the rest"), ("/resize", "width=40&file=rgb.png&empty=&x", "empty values"),
    ("/resize", "width=40&width=50&file=rgb.png&a=2&a=1", "repeated names keep their order"), ("/resize", "width=40&file=rgb.png&B=1&a=2&A=3&b=4", "sorted by bytes"), ("/resize", "width=40&file=rgb.png&k%20k=v%26v", "encoded names"),
    ("/resize", "width=40&file=rgb.png&text=%3C%3E%22%7B%7D%7C%5C%5E%60", "delimiters"), ("/resize", "width=40&file=rgb.png&text=%2f%2F", "hex digits of either case"), ("/resize", "", "no pairs"), ("/pipeline", "file=rgb.png&operations=" + urllib.parse.quote('[{"operation":"flip"}]'), "JSON"),
    ("/resize", "url=http%3A%2F%2F{ORIGIN}%2Ff%2Frgb.png&width=9", "the origin's port is unknown here: 403"), ("/resize", "width=40&file=rgb.png&key=", "an empty key"), ("/resize", "width=abc&file=rgb.png", "a bad parameter behind a good signature"),
    ("/resize", "file=rgb.png&width=40&=x", "an empty name"), ("/resize", "width=40&file=rgb.png&text=%00%01%7F", "control characters"), ("/resize", "width=40&file=rgb.png&text=%FF%FE", "bytes that are no UTF-8"),
):
    if "%FF" in query:
        continue
    S.get(signed(path, query), why=why)
S.post(signed("/resize", "width=40"), "rgb.png", why="a signed POST")
S.post("/resize?width=40", "rgb.png", why="an unsigned POST")
SP.get(signed("/api/v1/resize", "width=40&file=rgb.png"), why="the path with its prefix")
SP.get("/api/v1/resize?width=40&file=rgb.png&sign=" + sign("/resize", "width=40&file=rgb.png"), why="the path without it")
SE.get(GOOD, why="the environment wins over the flag")
OFF.get("/resize?width=40&file=rgb.png", why="a key without the switch is ignored")
OFF.get("/resize?width=40&file=rgb.png&sign=nonsense", why="a key without the switch is ignored")

right = sign("/resize", "width=40&file=rgb.png")
BASE = "/resize?width=40&file=rgb.png"
for value, why in (("", "empty"), ("AAAA", "short"), ("A" * 43, "wrong"), (right[:-1], "cut"), (right + "A", "longer"), (right + "=", "padded"), (right + "%3D", "padded, encoded"), ("+" + right[1:], "a plus"), ("%2B" + right[1:], "a plus, encoded"),
                   ("/" + right[1:], "a slash"), ("!!!", "no base64"), (right[::-1], "reversed"), (right.swapcase(), "case"), ("%20" + right, "a space"), ("A", "one letter"), ("%00", "NUL"), ("%C3%BC", "not ASCII")):
    # A longer or shorter value may fail to decode or to match; both are refusals.
    S.get(f"{BASE}&sign={value}", why=why, free=(Expect(status=400, message="Invalid URL signature"), Expect(status=403, message="URL signature mismatch")))
S.get(BASE, why="missing")
S.get(f"/resize?sign={right}&width=40&file=rgb.png", why="its place does not matter")
S.get(f"{BASE}&sign={right}&width=50", why="one pair more")
S.get(f"/resize?width=41&file=rgb.png&sign={right}", why="another value")
S.get(f"/crop?width=40&file=rgb.png&sign={right}", why="another path")
S.get(f"{BASE}&Sign={right}", why="names are case-sensitive")
S.get(f"{BASE}&sign=wrong&sign={right}", why="the first sign counts", free=Expect(status=400))
S.get(f"{BASE}&x=1&sign={right}", why="unknown pairs are signed too")
S.get("/health", length=True, why="not signed")
S.get("/form", length=True, why="not signed")
S.get("/", length=True, why="not signed")
S.get("/unknown", why="unknown paths", free=Expect(status=404))

# Unsigned variations of a signed URL, each refused. All of them pass in the reference.
VARIED = Expect(status=(400, 403))
for target, why in ((f"{GOOD}&sign=other", "a second sign"), (f"{GOOD}&%zz=1", "a malformed pair"), (f"{GOOD}&a=1;b=2", "a pair with ;"), (f"{GOOD}%0A", "a newline inside sign"), (f"{BASE}%0D&sign={right}", "another value")):
    S.get(target, fix=VARIED, why="FIX: " + why)
alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
last = alphabet.index(right[-1])
for step in (1, 2, 3):
    S.get(f"{BASE}&sign={right[:-1]}{alphabet[(last & ~3) | ((last + step) & 3)]}", fix=VARIED, why="FIX: the last character has spare bits")
S.get(f"/resize?&&width=40&&file=rgb.png&&sign={right}&", fix=Expect(status=(200, 400, 403)), why="empty pairs", recordable=False)
for query in ("%zz=1&width=40&file=rgb.png", "width=40&file=rgb.png&a;b=1", "width=40;&file=rgb.png"):
    S.get("/resize?" + query + "&sign=" + sign("/resize", "width=40&file=rgb.png"), fix=VARIED, why="FIX: pairs that the parser drops are unsigned")

for name in ("form", "crop", "health", "resize", "info", "flip", "", "CROP", "smartcrop"):
    D.get(f"/{name}?width=20&file=rgb.png&height=20", length=name == "", pixels="skip" if name == "smartcrop" else "psnr", why="disabled endpoints: trimmed, lower-cased")
    D.post(f"/{name}?width=20&height=20", "rgb.png", length=name == "", pixels="skip" if name == "smartcrop" else "psnr")
ROOT = suite("2 disabled endpoints", "-disable-endpoints", "watermarkimage,pipeline,watermarkImage", "-mount", "{FIXTURES}")
ROOT.get("/watermarkimage?file=rgb.png")
ROOT.get("/pipeline?file=rgb.png")
for prefix in ("/api/v1", "/api/v1/", "api", "/a b", "/ü"):
    P = suite("1 path prefix", "-path-prefix", prefix, "-mount", "{FIXTURES}")
    if prefix in ("/a b", "/ü"):
        lead = urllib.parse.quote(prefix)
        P.get(f"{lead}/info?file=rgb.png", free=Expect(status=(200, 404)))
        continue
    for target in ("/api/v1/info?file=rgb.png", "/api/info?file=rgb.png", "/api/v1/", "/api/v1", "/api/v1/health", "/api/v1/unknown", "/info?file=rgb.png", "/", "/health", "/api/v1/form", "/api/v1info?file=rgb.png"):
        inside = target.startswith("/api/v1/info") or target.startswith("/api/v1/health") or target == "/api/v1/form"
        free = (Expect(status=404),) if not inside or prefix != "/api/v1" else ()
        P.get(target, length="info" not in target, free=free + ((Expect(status=200),) if prefix == "api" else ()), why=f"prefix {prefix}: paths outside it are 404")
