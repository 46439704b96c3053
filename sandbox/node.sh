# Boots one node: the first process of its own network, mount, UTS, IPC and PID namespaces.
# Arguments: the node's root directory, its fstab, its hostname.
set -eu
hostname "$3"
mount --bind "$1" "$1"
mount --all --fstab "$2"
mkdir -p "$1/run/sshd" "$1/run/netns"
# What the tutorial's worker has; Ubuntu's own default for the rest.
echo 1 > "$1/proc/sys/net/ipv4/ip_forward"
cd "$1"
pivot_root . .old
# bash is the node's init: it starts sshd and buries orphans, and the node outlives its sshd.
exec chroot . /bin/bash -c '
    umount -l /.old
    /usr/sbin/sshd -D -e </dev/null 2>>/var/log/sshd.log &
    while :; do sleep infinity & wait $!; done'
