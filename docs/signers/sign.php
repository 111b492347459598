<?php
// Signs URLs for Phasor: URL_SIGNATURE_KEY=… php sign.php URL…   Needs PHP 8, whose sort keeps the order of equals.
//
// `sign` is base64url(HMAC-SHA256(key, path + query)), without padding. The path is percent-decoded; the query is all
// pairs but `sign`, decoded, sorted by name (pairs of one name keep their order) and encoded as a form.

/** The URL with its signature at the end; an old one goes. */
function phasor_sign(string $key, string $url): string
{
    [$url] = explode('#', $url, 2);
    [$front, $query] = explode('?', $url, 2) + [1 => ''];
    $kept = array_values(array_filter(
        explode('&', $query),
        fn($pair) => $pair !== '' && explode('=', $pair, 2)[0] !== 'sign',
    ));
    $pairs = array_map(fn($pair) => array_map('urldecode', explode('=', $pair, 2) + [1 => '']), $kept);
    usort($pairs, fn($a, $b) => strcmp($a[0], $b[0]));
    // urlencode encodes the tilde, which need not be.
    $encode = fn($text) => str_replace('%7E', '~', urlencode($text));
    $canonical = implode('&', array_map(fn($pair) => $encode($pair[0]) . '=' . $encode($pair[1]), $pairs));
    $path = rawurldecode(preg_replace('~^[a-z][a-z0-9+.-]*://[^/]*~i', '', $front));
    $mac = hash_hmac('sha256', $path . $canonical, $key, true);
    $kept[] = 'sign=' . rtrim(strtr(base64_encode($mac), '+/', '-_'), '=');
    return $front . '?' . implode('&', $kept);
}

if (PHP_SAPI === 'cli' && realpath($argv[0]) === __FILE__) {
    foreach (array_slice($argv, 1) as $url) {
        echo phasor_sign(getenv('URL_SIGNATURE_KEY'), $url), "\n";
    }
}
