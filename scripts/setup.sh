#!/bin/bash
# Installs what the make targets need on a Debian 12, as root: only what is missing, and says what.
#
# Debian packages first, then the npm packages of package-lock.json; Node itself, in the pinned version, is one of them.
# Nothing that gets installed is started, now or at the next boot: the tests run a file server of their own.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

if [ "$(uname -m)" != x86_64 ]; then
  echo "setup: engines run on x86-64 only so far, and this machine is $(uname -m)" >&2
  exit 1
fi

packages=(
  qemu-system-x86 qemu-utils              # engine VMs; qemu-img as the judge of our files
  samba smbclient                         # the share to export to
  mmdebstrap binutils busybox-static      # the engine image: Debian root, smaller binaries, initrd
  cpio kmod lz4 squashfs-tools xz-utils   # … its modules and archives
  dosfstools gdisk mtools ntfs-3g         # the sample disk: partitions, EFI file system, NTFS
  libhivex-bin libwin-hivex-perl          # … and its registry
  libatomic1                              # the pinned node
  ca-certificates git make procps
)
# A node from elsewhere brings its own npm, and Debian's would not go beside it.
command -v npm >/dev/null || packages+=(nodejs npm)

if ! states=$(dpkg-query --show --showformat '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null) ||
  grep -vq ' installed$' <<<"$states"; then
  missing=()
  for package in "${packages[@]}"; do
    grep -qx "$package installed" <<<"$states" || missing+=("$package")
  done
  echo "setup: installing Debian packages: ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    echo 'setup: that takes root' >&2
    exit 1
  fi

  # While this file is there, no installed service is started. What was installed is disabled however this ends: the
  # next run would not know any more that it was us.
  policy=/usr/sbin/policy-rc.d
  own_policy=
  undo() {
    [ -z "$own_policy" ] || rm -f $policy
    if [[ " ${missing[*]} " == *' samba '* ]]; then
      for service in smbd nmbd samba-ad-dc; do
        update-rc.d "$service" disable >/dev/null 2>&1 || true
      done
    fi
  }
  trap undo EXIT
  if [ ! -e $policy ]; then
    own_policy=yes
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 0755 $policy
  fi
  export DEBIAN_FRONTEND=noninteractive
  get() { apt-get -qq -o Dpkg::Use-Pty=0 "$@" >/dev/null; }
  # What an interrupted run left half-way is brought to its end first; "apt-get install" would only ask for that.
  dpkg --configure -a >/dev/null 2>&1 || true
  get update
  get install --fix-broken
  get install --no-install-recommends "${missing[@]}"
fi

stamp=node_modules/.installed
if [ ! -e $stamp ] || [ package-lock.json -nt $stamp ]; then
  echo 'setup: installing npm packages'
  # The system's npm may run under an older Node than the programs need: it only unpacks, and no package's script is run.
  # Not "npm ci": it refuses a lock file without the packages of other platforms, which some mirrors do not carry.
  npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
  touch $stamp
fi
