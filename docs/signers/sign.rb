# frozen_string_literal: true

# Signs URLs for Phasor: URL_SIGNATURE_KEY=… ruby sign.rb URL…
#
# `sign` is base64url(HMAC-SHA256(key, path + query)), without padding. The path is percent-decoded; the query is all
# pairs but `sign`, decoded, sorted by name (pairs of one name keep their order) and encoded as a form.
require "openssl"

module Phasor
  module_function

  # The URL with its signature at the end; an old one goes.
  def sign(key, url)
    front, query = url.b.split("#", 2).first.split("?", 2)
    kept = (query || "").split("&").reject { |pair| pair.empty? || pair.split("=", 2).first == "sign" }
    pairs = kept.map { |pair| pair.split("=", 2).map { |part| decode(part.tr("+", " ")) } }
    # sort_by does not keep the order of equals by itself.
    pairs = pairs.each_with_index.sort_by { |(name, _), place| [name, place] }.map(&:first)
    canonical = pairs.map { |name, value| "#{encode(name)}=#{encode(value || "")}" }.join("&")
    path = decode(front.sub(%r{\A[a-z][a-z0-9+.-]*://[^/]*}i, ""))
    mac = OpenSSL::HMAC.digest("SHA256", key, path + canonical)
    "#{front}?#{[*kept, "sign=#{[mac].pack("m0").tr("+/", "-_").delete("=")}"].join("&")}"
  end

  def decode(text)
    text.gsub(/%\h\h/) { |escape| escape[1, 2].hex.chr.b }
  end

  def encode(bytes)
    bytes.gsub(/[^A-Za-z0-9._~-]/n) { |byte| byte == " " ? "+" : format("%%%02X", byte.ord) }
  end
end

ARGV.each { |url| puts Phasor.sign(ENV.fetch("URL_SIGNATURE_KEY"), url) } if $PROGRAM_NAME == __FILE__
