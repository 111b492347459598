#!/bin/sh
# Signs URLs for Phasor: URL_SIGNATURE_KEY=… sign.sh URL…   Needs openssl, awk, sort, base64, tr.
#
# `sign` is base64url(HMAC-SHA256(key, path + query)), without padding. The path is percent-decoded; the query is all
# pairs but `sign`, decoded, sorted by name (pairs of one name keep their order) and encoded as a form.
set -eu
: "${URL_SIGNATURE_KEY:?}"
# Bytes, not characters.
LC_ALL=C
export LC_ALL

for url in "$@"; do
  url=${url%%#*}
  # An old signature goes.
  front=${url%%\?*}
  query=
  case $url in *\?*) query=${url#*\?} ;; esac
  query=$(printf '%s' "$query" | tr '&' '\n' | grep -v -e '^$' -e '^sign=' -e '^sign$' | tr '\n' '&') || true
  query=${query%&}
  path=$front
  case $path in *://*) path=${path#*://}; case $path in */*) path=/${path#*/} ;; *) path= ;; esac ;; esac
  {
    printf '%s' "$path" | awk '
      function hex(c) { return index("0123456789abcdef", tolower(c)) - 1 }
      { if (NR > 1) out = out "\n"
        for (i = 1; i <= length($0); i++) {
          c = substr($0, i, 1)
          if (c == "%") { out = out sprintf("%c", hex(substr($0, i + 1, 1)) * 16 + hex(substr($0, i + 2, 1))); i += 2 }
          else out = out c
        } }
      END { printf "%s", out }'
    # Pairs as hexadecimal digits sort like their bytes.
    printf '%s' "$query" | tr '&' '\n' | awk '
      BEGIN { for (i = 1; i < 256; i++) code[sprintf("%c", i)] = sprintf("%02x", i) }
      function digits(text,   out, i, c) {
        for (i = 1; i <= length(text); i++) {
          c = substr(text, i, 1)
          if (c == "%") { out = out tolower(substr(text, i + 1, 2)); i += 2 }
          else out = out (c == "+" ? "20" : code[c])
        }
        return out
      }
      { at = index($0, "=")
        if (at) print digits(substr($0, 1, at - 1)) "|" digits(substr($0, at + 1)); else print digits($0) "|" }' |
      sort -s -t '|' -k 1,1 | awk '
        function hex(c) { return index("0123456789abcdef", c) - 1 }
        function encoded(text,   out, i, two, c) {
          for (i = 1; i < length(text); i += 2) {
            two = substr(text, i, 2)
            c = sprintf("%c", hex(substr(two, 1, 1)) * 16 + hex(substr(two, 2, 1)))
            if (two == "20") out = out "+"
            else if (c ~ /^[A-Za-z0-9._~-]$/) out = out c
            else out = out "%" toupper(two)
          }
          return out
        }
        { split($0, pair, "|"); printf "%s%s=%s", (NR > 1 ? "&" : ""), encoded(pair[1]), encoded(pair[2]) }'
  } | openssl dgst -sha256 -hmac "$URL_SIGNATURE_KEY" -binary | base64 | tr '+/' '-_' | tr -d '=\n' | {
    read -r sign || true
    printf '%s?%s%ssign=%s\n' "$front" "$query" "${query:+&}" "$sign"
  }
done
