// Signs URLs for Phasor: URL_SIGNATURE_KEY=… go run sign.go URL…
//
// `sign` is base64url(HMAC-SHA256(key, path + query)), without padding. The path is percent-decoded; the query is all
// pairs but `sign`, decoded, sorted by name (pairs of one name keep their order) and encoded as a form: what
// url.Values.Encode writes.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// Sign gives the URL with its signature at the end; an old one goes.
func Sign(key, raw string) (string, error) {
	raw, _, _ = strings.Cut(raw, "#")
	parsed, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	pairs, err := url.ParseQuery(parsed.RawQuery)
	if err != nil {
		return "", err
	}
	pairs.Del("sign")
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(parsed.Path + pairs.Encode()))

	front, query, _ := strings.Cut(raw, "?")
	var kept []string
	for _, pair := range strings.Split(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); pair != "" && name != "sign" {
			kept = append(kept, pair)
		}
	}
	kept = append(kept, "sign="+base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
	return front + "?" + strings.Join(kept, "&"), nil
}

func main() {
	for _, raw := range os.Args[1:] {
		signed, err := Sign(os.Getenv("URL_SIGNATURE_KEY"), raw)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(signed)
	}
}
