#!/bin/sh
# Makes a sysroot for cross builds from the archive that this machine already uses (its main
# component), in apt directories of its own: the host's package state is neither read nor changed.
#
#   toolchains/sysroot.sh <armhf|arm64> <directory> <package>...
#
# Runs without root. The directory is replaced only when the new sysroot is complete.
set -eu

[ $# -ge 3 ] || { echo "usage: $0 <armhf|arm64> <directory> <package>..." >&2; exit 2; }
arch=$1
target=$2
shift 2

case $arch in
  armhf | arm64) ;;
  *) echo "sysroot: no such architecture: $arch (armhf or arm64)" >&2; exit 2 ;;
esac
. /etc/os-release
codename=${VERSION_CODENAME:?/etc/os-release names no release}

mkdir -p "$target.new/apt/lists/partial" "$target.new/apt/archives/partial" "$target.new/root"
new=$(cd "$target.new" && pwd)
trap 'rm -rf "$new"' EXIT
apt=$new/apt

# One deb line per suite of the release that the host is configured for. Ubuntu keeps ARM on
# another host than x86, so there the address is the ports archive.
sources() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    sort -u | while read -r uri suite component; do
      [ "$component" = main ] || continue
      case $suite in
        "$codename" | "$codename-updates" | "$codename-security") ;;
        *) continue ;;
      esac
      [ "$ID" != ubuntu ] || uri=http://ports.ubuntu.com/ubuntu-ports
      echo "deb [signed-by=$keyring] $uri $suite main$extra"
    done | sort -u
}

extra=
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
if [ "$ID" = ubuntu ]; then
  keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg
  extra=" universe"
fi
sources >"$apt/sources.list"
[ -s "$apt/sources.list" ] || { echo "sysroot: apt has no source for $codename main" >&2; exit 1; }
: >"$apt/status"

own_apt() {
  apt-get -qq -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
    -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State="$apt" -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" \
    -o Dir::Cache="$apt" -o Dir::Cache::archives="$apt/archives" -o Debug::NoLocking=1 \
    -o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=0 "$@"
}

# A mirror in mid-sync serves an index that does not match its release file. The release suite alone
# is enough to build against, so the updates are given up before the build is.
if ! own_apt update 2>"$apt/log"; then
  cat "$apt/log" >&2
  echo "sysroot: once more, without the update and security suites" >&2
  sed -i "/ $codename-/d" "$apt/sources.list"
  own_apt update
fi
own_apt --download-only -y install "$@" >"$apt/log" 2>&1 || { cat "$apt/log" >&2; exit 1; }

# Merged /usr first, so that /lib in a package lands in /usr/lib as on a real system.
for name in bin sbin lib; do
  mkdir -p "$new/root/usr/$name"
  ln -s "usr/$name" "$new/root/$name"
done
for package in "$apt"/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$package" |
    tar -x --keep-directory-symlink --no-same-owner -C "$new/root" \
      --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
      --exclude='./dev/*'
done

# An absolute link would leave the sysroot for the host's own files.
find "$new/root" -type l -lname '/*' | while read -r link; do
  ln -sfr "$new/root$(readlink "$link")" "$link"
done

rm -rf "$target"
mv "$new/root" "$target"
echo "sysroot: $target ($arch, $codename, $(du -sh "$target" | cut -f1))"
