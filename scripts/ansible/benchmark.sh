#!/usr/bin/env bash
# Runs benchmark.yml with flags for the benchmark, and killall.yml when that is interrupted or can not reach its end.
#   scripts/ansible/benchmark.sh inventory [flags of the benchmark]
set -euo pipefail
[ $# -ge 1 ] || { sed -n '3s/^# *//p' "$0" >&2 && exit 2; }
inventory=$1
shift
folder=$(cd "$(dirname "$0")" && pwd)

playbook=''
# shellcheck disable=SC2317 # the traps call it
end_all() {
  trap - EXIT INT TERM
  # When interrupted it still runs, and would go on to start things.
  [ -z "$playbook" ] || { kill "$playbook" && wait "$playbook"; } || true
  ansible-playbook -i "$inventory" "$folder/killall.yml" >/dev/null ||
    echo 'benchmark.sh: killall.yml failed: processes may be left' >&2
}
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

flags=$(node -p 'JSON.stringify({ bench_args: process.argv.slice(1), bench_results: process.cwd() + "/bench-results" })' -- "$@")
status=0
ANSIBLE_CALLBACK_RESULT_FORMAT=yaml ansible-playbook -i "$inventory" -e "$flags" "$folder/benchmark.yml" &
playbook=$!
wait "$playbook" || status=$?
playbook=''
exit "$status"
