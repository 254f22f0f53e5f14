#!/bin/bash
# Makes what changes seldom: vmlinuz, root.sqfs, the initrd's tree without our files, and the list of packages.
#
# Runs inside a mount and process namespace of its own (see build.sh), so whatever happens no mount outlives it.
# Packages are unpacked without their maintainer scripts: nothing here is configured, started or registered.
#
# usage: base.sh SUITE NODE WORK; leaves WORK/{vmlinuz,root.sqfs,initrd/,packages.tsv}
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
suite=$1 node=$2 work=$3
root=$work/root
debs=$root/var/cache/apt/archives
export LC_ALL=C TMPDIR=$work

fail() { echo "engine image: $*" >&2; exit 1; }

# The words of a list file without comments; $2: only lines that match it.
words() { sed 's/#.*//' "$1" | awk 'NF { print $1 }' | grep "$2"; }
# The modules of one [section] of modules.list.
modules() { sed 's/#.*//' "$here/modules.list" | awk -v want="[$1]" '/^\[/ { on = $1 == want; next } on && NF { print $1 }'; }

# The machine's own mirrors of the suite, whatever their addresses, updates and security included.
sources() {
  apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    awk -v suite="$suite" '$1 == "Debian" && index($2 "-", suite "-") == 1 && $3 == "main" { print "deb", $4, $5, $3 }' | sort -u
}
sources >"$work/sources.list"
# In images of machines apt's lists are often emptied.
if ! grep -q " $suite main$" "$work/sources.list"; then
  apt-get -qq update
  sources >"$work/sources.list"
fi
grep -q " $suite main$" "$work/sources.list" || fail "apt on this machine knows no Debian $suite source (run apt-get update; see /etc/apt/sources.list*)"

# How this machine reaches its mirrors (proxy, certificates, dates), which mmdebstrap's own apt would not know.
apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-|Proxy|Retries)' >"$work/apt.conf" || true

echo "engine image: unpacking Debian $suite"
mmdebstrap --quiet --mode=root --variant=extract --format=directory --components=main \
  --include="$(words "$here/packages.list" '^[^!]' | paste -sd,)" \
  --aptopt='APT::Install-Recommends "false"' --aptopt="$work/apt.conf" \
  --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
  --skip=cleanup/apt/cache \
  --extract-hook="cd $work && APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG apt-get -qq -o APT::Sandbox::User=root download \
    \$(APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-/ { print \$2 }')" \
  "$suite" "$root" "$work/sources.list" >"$work/mmdebstrap.log" 2>&1 ||
  { cat "$work/mmdebstrap.log" >&2; fail 'mmdebstrap failed, see above'; }

echo 'engine image: taking out what an engine does not run'
kernel_deb=("$work"/linux-image-*.deb)
for deb in "$debs"/*.deb "${kernel_deb[@]}"; do
  package=$(dpkg-deb -f "$deb" Package)
  if grep -qx "!$package" <(words "$here/packages.list" '^!'); then
    dpkg-deb --fsys-tarfile "$deb" | tar t | sed 's,^\./,,' | while read -r path; do
      [ -d "$root/$path" ] && [ ! -L "$root/$path" ] || rm -f "$root/$path"
    done
  else
    dpkg-deb --show --showformat '${Package}\t${Version}\n' "$deb"
  fi
done | sort >"$work/packages.tsv"
(
  cd "$root"
  rm -rf boot home media mnt opt srv tmp/* var usr/games usr/include usr/libx32 usr/lib32 libx32 lib32
  rm -rf usr/share/{bash-completion,bug,common-licenses,debconf,doc,doc-base,info,lintian,locale,man,menu,pam,pam-configs,perl5/Debconf,perl5/Debian,pixmaps,polkit-1,zoneinfo}
  rm -rf usr/lib/systemd usr/lib/udev usr/lib/python3* usr/share/python3* usr/lib/x86_64-linux-gnu/security
  rm -rf etc/{apt,alternatives,cron.*,default,dhcp,dpkg,init.d,logrotate.d,pam.d,python3*,security,selinux,systemd,ucf.conf,fstab,hostname}
  # glibc's tables for UTF-16 (registry hives) and the single-byte Windows sets; the others are for people.
  find usr/lib/x86_64-linux-gnu/gconv -name '*.so' ! -name 'UTF-*' ! -name 'CP125*' ! -name 'IBM437.so' ! -name 'IBM850.so' ! -name 'ISO8859-1.so' -delete
  rm -rf usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache
  # No program gains rights here, and nobody logs in.
  find . -xdev -type f -perm /6000 -exec chmod ug-s {} +
  rm -f usr/bin/{su,login,newgrp,chsh,chfn,sulogin} usr/sbin/{agetty,getty,sulogin}
)

mkdir -p "$root"/{dev,proc,sys,run,tmp,root,mnt,var/{tmp,log,cache/samba,lib/samba/private}}
ln -s ../run "$root/var/run"
echo 'root:x:0:0:root:/root:/usr/sbin/nologin' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
printf '127.0.0.1 localhost ips-engine\n::1 localhost\n' >"$root/etc/hosts"
ln -sf ../run/ips/resolv.conf "$root/etc/resolv.conf"
ln -sf /proc/self/mounts "$root/etc/mtab"
install -m 0755 "$node" "$root/usr/bin/node"
strip --strip-all "$root/usr/bin/node"
for applet in sh cat cp grep hostname ip ls mkdir mv poweroff rm sleep sort sync udhcpc usleep xargs; do
  [ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
done
rm -f "$root/etc/ld.so.cache"
ldconfig -r "$root" -X

mkdir "$work/kernel"
dpkg-deb -x "${kernel_deb[0]}" "$work/kernel"
version=$(basename "$work"/kernel/lib/modules/*)
mv "$work/kernel/boot/vmlinuz-$version" "$work/vmlinuz"
rm -f "$work"/kernel/boot/System.map-*
touch "$work/kernel/lib/modules/$version/modules.order"
depmod -b "$work/kernel" "$version"

# Files of modules with everything they need, each after what it needs.
with_dependencies() {
  modprobe -d "$work/kernel" -S "$version" -aD "$@" | awk '$1 == "insmod" { print $2 }' | awk '!seen[$0]++'
}
keep() { # keep TARGET MODULE...
  local target=$1 path
  shift
  for path in $(with_dependencies "$@"); do
    install -D -m 0644 "$path" "$target/${path#"$work/kernel/"}"
  done
}
echo "engine image: kernel $version"
# shellcheck disable=SC2046
keep "$root/usr" $(modules root)
cp "$work/kernel/lib/modules/$version/modules.builtin" "$work/kernel/lib/modules/$version/modules.builtin.modinfo" "$root/usr/lib/modules/$version/"
touch "$root/usr/lib/modules/$version/modules.order"
depmod -b "$root" "$version"

initrd=$work/initrd
mkdir -p "$initrd"/{bin,dev,proc,sys,run,modules,lower,writable,root}
cp "$root/usr/bin/busybox" "$initrd/bin/busybox"
for applet in sh cat cp grep insmod mkdir mount poweroff switch_root sync usleep; do
  ln -s busybox "$initrd/bin/$applet"
done
# shellcheck disable=SC2046
for path in $(with_dependencies $(modules initrd)); do
  install -m 0644 "$path" "$initrd/modules/"
  basename "$path"
done >"$initrd/modules/order"

echo 'engine image: packing the root'
# lz4: what boots fastest where every instruction is emulated, and packs in a second.
mksquashfs "$root" "$work/root.sqfs" -quiet -no-progress -all-root -all-time 0 -mkfs-time 0 -no-xattrs -comp lz4 -b 128K
