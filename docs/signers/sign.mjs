// Signs URLs for Phasor: URL_SIGNATURE_KEY=… node sign.mjs URL…   or import { sign } from "./sign.mjs".
//
// `sign` is base64url(HMAC-SHA256(key, path + query)), without padding. The path is percent-decoded; the query is all
// pairs but `sign`, decoded, sorted by name (pairs of one name keep their order) and encoded as a form.
import { createHmac } from "node:crypto";
import { pathToFileURL } from "node:url";

const decode = (text) =>
  Buffer.concat(
    (text.match(/%[0-9a-fA-F]{2}|[^%]+|%/g) ?? []).map((part) =>
      /^%../.test(part) ? Buffer.from(part.slice(1), "hex") : Buffer.from(part),
    ),
  );
const form = (text) => decode(text.replaceAll("+", " "));
const encode = (bytes) =>
  Array.from(bytes, (byte) => {
    const c = String.fromCharCode(byte);
    if (/[A-Za-z0-9._~-]/.test(c)) return c;
    return c === " " ? "+" : "%" + byte.toString(16).toUpperCase().padStart(2, "0");
  }).join("");

/** The URL with its signature at the end; an old one goes. */
export function sign(key, url) {
  url = url.split("#")[0];
  const at = url.indexOf("?");
  const front = at < 0 ? url : url.slice(0, at);
  const kept = (at < 0 ? "" : url.slice(at + 1)).split("&").filter((pair) => pair && pair.split("=")[0] !== "sign");
  const pairs = kept.map((pair) => {
    const [name, ...value] = pair.split("=");
    return [form(name), form(value.join("="))];
  });
  // By bytes; sort() keeps the order of equals.
  pairs.sort(([a], [b]) => Buffer.compare(a, b));
  const query = pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
  const path = decode(front.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, ""));
  const mac = createHmac("sha256", key).update(path).update(query).digest("base64url");
  return `${front}?${[...kept, `sign=${mac}`].join("&")}`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const url of process.argv.slice(2)) console.log(sign(process.env.URL_SIGNATURE_KEY, url));
}
