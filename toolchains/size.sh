#!/bin/sh
# The size report: every shipped file of a build as it would be installed (stripped), against its
# budget in bytes. Fails when one is over. Budgets: the daemon and its command line 1.5 MB, the
# plugin host 300 KB, a plugin 100 KB.
#
#   toolchains/size.sh <build directory>
set -eu

build=${1:?usage: $0 <build directory>}
strip=$(sed -n 's/^CMAKE_STRIP:FILEPATH=//p' "$build/CMakeCache.txt")
copy=$(mktemp)
trap 'rm -f "$copy"' EXIT
over=0 count=0

report() {
  file=$1 budget=$2
  [ -f "$file" ] || return 0
  "$strip" -o "$copy" "$file"
  bytes=$(wc -c <"$copy")
  verdict=
  if [ "$bytes" -gt "$budget" ]; then
    verdict="  over budget"
    over=$((over + 1))
  fi
  count=$((count + 1))
  printf '%-28s %8d of %8d%s\n' "${file#"$build"/}" "$bytes" "$budget" "$verdict"
}

report "$build/bin/limpet" 1500000
report "$build/bin/limpet-host" 300000
for plugin in "$build"/lib/limpet/plugins/*.so; do
  report "$plugin" 100000
done

[ "$count" -gt 0 ] || { echo "size: nothing to measure in $build" >&2; exit 1; }
[ "$over" -eq 0 ] || { echo "size: $over over budget" >&2; exit 1; }
