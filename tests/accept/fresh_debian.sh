#!/bin/bash
# The README's two commands on a fresh minimal Debian, by an ordinary user, cold and warm.
#   tests/accept/fresh_debian.sh bookworm|trixie [ROOT]
# ROOT is a folder made by debootstrap, which is copied; without it one is made.
# Needs root, git, iproute2 and, without ROOT, debootstrap. The warm calls have no network.
set -euo pipefail

PACKAGES=git,python3,python3-venv,ca-certificates
CERTIFICATES=(SSL_CERT_FILE REQUESTS_CA_BUNDLE PIP_CERT CURL_CA_BUNDLE)
USER_ID=1000
CLONE="/home/stranger/a clone"
PLUGGED=(env)
# shellcheck disable=SC2016 # the inner shell expands
UNPLUGGED=(unshare --net sh -c 'ip link set lo up && exec "$@"' sh)

# Mounts and processes of our own end with us.
[ -n "${FRESH_INSIDE-}" ] ||
    FRESH_INSIDE=yes exec unshare --mount --pid --fork --kill-child "$0" "$@"

suite=$1
repository=$(dirname "$(readlink -f "$0")")/../..
work=$(mktemp -d /var/tmp/fresh.XXXXXX)
root=$work/root
trap 'umount -R "$root"/{proc,dev/pts,dev/shm} 2>/dev/null; rm -rf "$work"' EXIT

complain() {
    tail -n 40 "$work/log" >&2
    failed=yes
}

make_root() {
    if [ -n "${1-}" ]; then
        cp -a "$1" "$root"
    else
        debootstrap --variant=minbase --include=$PACKAGES "$suite" "$root"
    fi
    mount -t proc proc "$root/proc"
    mkdir -p "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
    ln -sf pts/ptmx "$root/dev/ptmx"
    mount -t tmpfs tmpfs "$root/dev/shm"
    cp -L /etc/resolv.conf "$root/etc/"
    echo "127.0.0.1 localhost" >"$root/etc/hosts"
    chroot "$root" useradd --create-home --uid $USER_ID stranger
    git clone -q --bare "$repository" "$root/srv/gansource.git"
    chown -R $USER_ID "$root/srv/gansource.git"
}

# What this machine trusts when it fetches, the new root trusts too.
trust() {
    for name in "${CERTIFICATES[@]}"; do
        bundle=${!name-}
        [ -f "$bundle" ] || continue
        install -D -m 644 "$bundle" "$root$bundle"
        trusted+=("$name=$bundle")
    done
}

inside() {
    # shellcheck disable=SC2016 # the inner shell expands
    "${cable[@]}" chroot --userspec=$USER_ID:$USER_ID "$root" \
        env -i PATH=/usr/bin:/bin HOME=/home/stranger LANG=C.UTF-8 "${trusted[@]}" \
        sh -c 'cd "$1" 2>/dev/null; shift; exec "$@"' sh "$CLONE" "$@"
}

row() { printf '%-9s %-40s %8s  %s\n' "$suite" "$@"; }

megabytes() { du -sm "$root$CLONE/.venv" | cut -f1; }

# Starts the controller, asks *IDN? on both its addresses, stops it: seconds and answer of each.
cat >"$work/ask.py" <<'PYTHON'
import os, re, select, signal, socket, subprocess, time, tty

def over_tcp(address):
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(b"*IDN?\n")
        return connection.makefile("rb").readline()

def over_pty(path):
    line, answer = os.open(path, os.O_RDWR | os.O_NOCTTY), b""
    tty.setraw(line)
    os.write(line, b"*IDN?\n")
    while not answer.endswith(b"\n") and select.select([line], [], [], 5)[0]:
        answer += os.read(line, 100)
    return answer

WAYS = {"TCP": over_tcp, "serial": over_pty}
began = time.monotonic()
controller = subprocess.Popen(["./gansource", "run"], stdout=subprocess.PIPE, text=True)
waiting = set(WAYS)
while waiting and (line := controller.stdout.readline()):
    if found := re.match(r"\s*SCPI (TCP|serial)\s+(\S+)", line):
        answer = WAYS[found[1]](found[2]).decode().strip()
        assert answer, f"no answer over {found[1]}"
        print(f"*IDN? over {found[1]}", f"{time.monotonic() - began:.1f}", answer, sep="\t")
        waiting.discard(found[1])
controller.send_signal(signal.SIGTERM)
status = controller.wait(20)
assert not waiting and status == 0, f"nothing heard of {waiting}, status {status}"
PYTHON

run_row() {
    inside python3 /tmp/ask.py >"$work/answers" 2>"$work/log" || complain
    while IFS=$'\t' read -r what seconds answer; do
        row "run, $1, $what" "$seconds" "$answer"
    done <"$work/answers"
}

test_row() {
    local seconds TIMEFORMAT=%1R
    seconds=$({ time inside ./gansource test >"$work/log" 2>&1; } 2>&1) || complain
    row "test, $1" "$seconds" "$(tail -n 1 "$work/log")"
}

failed=
trusted=()
cable=("${PLUGGED[@]}")
make_root "${2-}"
trust
cp "$work/ask.py" "$root/tmp/"
inside git clone -q /srv/gansource.git "$CLONE"
row "what" "seconds" "said"
run_row cold
row ".venv for running" "" "$(megabytes) MB"
inside rm -rf .venv /home/stranger/.cache
test_row cold
row ".venv with test tools" "" "$(megabytes) MB"
cable=("${UNPLUGGED[@]}")
run_row "warm, no network"
test_row "warm, no network"
[ -z "$failed" ]
