// Writes signing-vectors.json: paths and raw queries (base64) with the signature that Go's own parser, encoder and
// HMAC give them. Run: go run signing-vectors.go > signing-vectors.json
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand"
	"net/url"
	"os"
	"strings"
)

const key = "vectors-key-0123456789-abcdefghij"

func sign(path, raw string) string {
	query, _ := url.ParseQuery(raw)
	query.Del("sign")
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(path))
	mac.Write([]byte(query.Encode()))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func main() {
	random := rand.New(rand.NewSource(1))
	pick := func(list []string) string { return list[random.Intn(len(list))] }
	names := []string{"width", "height", "a", "b", "ab", "a b", "A", "url", "file", "sign", "", "%62", "é", "%C3%A9",
		"+", "%2B", "width%20", "%00", "~", "-", "_", "."}
	pieces := []string{"0", "300", "x", "Z", "+", "%20", "%2B", "%2b", "/", "%2F", "http://h/p?q", "é", "%ff", "\xff",
		"=", "~", "*", "'", "(", "!", "%00", "%0A", ",", ":", "@", "$", "\"", "<", "|", "\\", "漢", "%7E", "%41"}
	bad := []string{";", "%zz", "%4", "%", "a;b=1", "a=%", "%=1", "a=1%f"}
	paths := []string{"/resize", "/", "/crop", "/prefix/fit", "/a b", "/é", "/resize/", "", "/%", "/\xff"}
	var vectors [][3]string
	encode := base64.StdEncoding.EncodeToString
	for len(vectors) < 3000 {
		var pairs []string
		for n := random.Intn(7); n > 0; n-- {
			switch {
			case random.Intn(12) == 0:
				pairs = append(pairs, pick(bad))
			case random.Intn(15) == 0:
				pairs = append(pairs, "")
			case random.Intn(10) == 0:
				pairs = append(pairs, pick(names))
			default:
				value := ""
				for m := random.Intn(4); m > 0; m-- {
					value += pick(pieces)
				}
				pairs = append(pairs, pick(names)+"="+value)
			}
		}
		path, raw := pick(paths), strings.Join(pairs, "&")
		vectors = append(vectors, [3]string{encode([]byte(path)), encode([]byte(raw)), sign(path, raw)})
	}
	fmt.Printf("{\"key\":%q,\"vectors\":[\n", key)
	for i, vector := range vectors {
		line, _ := json.Marshal(vector)
		os.Stdout.Write(line)
		if i < len(vectors)-1 {
			fmt.Print(",")
		}
		fmt.Println()
	}
	fmt.Println("]}")
}
