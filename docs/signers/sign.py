#!/usr/bin/env python3
"""Signs URLs for Phasor: URL_SIGNATURE_KEY=... sign.py URL...   or from sign import sign.

`sign` is base64url(HMAC-SHA256(key, path + query)), without padding. The path is percent-decoded; the query is all
pairs but `sign`, decoded, sorted by name (pairs of one name keep their order) and encoded as a form.
"""

import base64
import hashlib
import hmac
import os
import re
import sys
from urllib.parse import quote_plus, unquote_to_bytes


def sign(key: str, url: str) -> str:
    """The URL with its signature at the end; an old one goes."""
    url = url.split("#")[0]
    front, _, query = url.partition("?")
    kept = [pair for pair in query.split("&") if pair and pair.split("=")[0] != "sign"]
    pairs = [[unquote_to_bytes(part.replace("+", " ")) for part in pair.partition("=")[::2]] for pair in kept]
    # By bytes; sort() keeps the order of equals.
    pairs.sort(key=lambda pair: pair[0])
    canonical = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)
    path = unquote_to_bytes(re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/]*", "", front))
    mac = hmac.new(key.encode(), path + canonical.encode(), hashlib.sha256).digest()
    return front + "?" + "&".join([*kept, "sign=" + base64.urlsafe_b64encode(mac).decode().rstrip("=")])


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(sign(os.environ["URL_SIGNATURE_KEY"], argument))
