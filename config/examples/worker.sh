#!/usr/bin/env bash
# A worker for a queue of Limpet, with curl and jq. Each task's payload goes to a command as JSON.
#
#   LIMPET_SOCKET=/run/limpet/limpet.sock config/examples/worker.sh jobs ./resize.sh
#
# The command's exit code: 0 done (what it prints, if it is JSON, is the result), 65 never tried
# again, any other tried again later. SIGTERM stops the command and gives its task back, unharmed.
set -u
[ $# -ge 2 ] || { echo "usage: worker.sh QUEUE COMMAND [ARGUMENT ...]" >&2 && exit 2; }
socket=${LIMPET_SOCKET:-/run/limpet/limpet.sock} queue=$1 lease_ms=30000 stop='' child=''
shift
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
trap 'stop=1; [ -z "$child" ] || kill "$child"' TERM INT

call() { # PATH, with the body on standard input
  exec curl -sS --fail-with-body --max-time 90 --unix-socket "$socket" --json @- "http://limpet$1"
}
await() { # the child, in the background because bash takes signals between commands only
  while wait "$child"; code=$?; kill -0 "$child" 2>/dev/null; do :; done
  child=''
}
settle() { # ack or nack, and what jq adds to the token
  jq -c --arg reason "exit code $code" --slurpfile result "$work/result" \
    "{token, $2}" <<<"$task" | (call "/v1/tasks/$id/$1") >/dev/null
}
keep() { # extends the lease while the command runs
  trap 'kill $!; exit' TERM
  while sleep $((lease_ms / 3000)) & wait $!; do
    jq -c "{token, lease_ms: $lease_ms}" <<<"$task" | (call "/v1/tasks/$id/extend") || return
  done >/dev/null
}

while [ -z "$stop" ]; do
  call "/v1/queues/$queue/lease" <<<"{\"wait_ms\":20000,\"lease_ms\":$lease_ms}" >"$work/lease" &
  child=$! && await
  [ "$code" = 0 ] || [ -n "$stop" ] || { cat "$work/lease" >&2; sleep 1; continue; }
  task=$(jq -c '.tasks[0] // empty' "$work/lease" 2>/dev/null)
  [ -n "$task" ] || continue # none came
  id=$(jq -r .id <<<"$task")
  jq -c .payload <<<"$task" >"$work/payload"
  : >"$work/result"
  if [ -z "$stop" ]; then
    "$@" <"$work/payload" >"$work/result" & child=$!
    keep & keeper=$!
    await
    kill "$keeper" 2>/dev/null
    jq . "$work/result" >/dev/null 2>&1 || : >"$work/result"
  fi
  case "$stop:$code" in
    1:*) settle nack 'release: true' ;;
    :0) settle ack 'result: $result[0]' ;;
    :65) settle nack 'permanent: true, $reason' ;;
    *) settle nack '$reason' ;;
  esac
done
exit 0
