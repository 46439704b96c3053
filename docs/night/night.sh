#!/bin/sh
# One night over a lab account, from the bare environment of cron or of a systemd timer: looks, tells somebody,
# and ends as the suite did (0 all holds, 1 something is wrong, 10 not all could be looked at).
#
#   night.sh SETTINGS [options of ./run routes]
#
# SETTINGS is a file of lines for sh, NAME=value, readable by the user of the night alone; night.md tells them.
set -u

settings=${1:?name the file with the settings of the night}
shift
case $settings in */*) ;; *) settings=./$settings ;; esac
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P) || exit 2

set -a # what it sets is for the programs that this one starts
# shellcheck source=/dev/null
. "$settings" || exit 2
set +a

# Told once, and at the very end: also of a night that never came to look.
notify=${KTHW_NOTIFY:-}
unset KTHW_NOTIFY

# Who ends the night as a whole (systemd, Ctrl-C) ends the suite, which takes back what it made: it is waited
# for, and told. A signal to this script alone only waits for the suite's own end.
trap : HUP INT TERM

began=$(date -u +%Y-%m-%dT%H:%M:%SZ)
code=0
"$root/run" routes --target aws "$@" || code=$?
[ -z "$notify" ] || KTHW_NOTIFY=$notify "$root/run" night notify --code "$code" --since "$began" || :
exit "$code"
