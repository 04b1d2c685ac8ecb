#!/bin/sh
# Makes the certificates anew, here.
set -eu
cd "$(dirname "$0")"
new="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500"
# shellcheck disable=SC2086 # several words
self() { openssl req -x509 $new -keyout "$1.key" -out "$1.pem" -subj "/CN=$1" 2>/dev/null; }
# shellcheck disable=SC2086
signed() {
    openssl req -new $new -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" \
        -addext "subjectAltName=IP:127.0.0.1" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA authority.pem -CAkey authority.key -CAcreateserial \
        -days 36500 -copy_extensions copy -out "$1.pem" 2>/dev/null
    rm "$1.csr"
}
self authority
self stranger
signed server
signed alice
signed bob
rm -f authority.key authority.srl
