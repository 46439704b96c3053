# Boots one node: the first process of its own network, mount, UTS, IPC and PID namespaces.
# Arguments: the node's root directory, its fstab.
set -eu
mount --bind "$1" "$1"
mount --all --fstab "$2"
mkdir -p "$1/run/sshd" "$1/run/netns" "$1/run/systemd/resolve"
# What the tutorial's worker has; systemd's own default; Ubuntu's own default for the rest.
echo 1 > "$1/proc/sys/net/ipv4/ip_forward"
for groups in 2147483647 65535; do # an ordinary user has fewer of them
    if echo "0 $groups" > "$1/proc/sys/net/ipv4/ping_group_range"; then break; fi
done 2>/dev/null
cd "$1"
pivot_root . .old
# bash is the node's init: it starts sshd and buries orphans, and the node outlives its sshd.
# What is on the disk is read from inside, where no link on it leads out.
# Its root loads no module and sets no clock: both are this computer's.
exec setpriv --bounding-set -sys_module,-sys_time chroot . /bin/bash -c '
    umount -l /.old
    hostname -F /etc/hostname
    cp /etc/resolv.conf /run/systemd/resolve/resolv.conf
    /usr/sbin/sshd -D -e </dev/null 2>>/var/log/sshd.log &
    for unit in /etc/systemd/system/*.wants/*.service; do
        if [ -e "$unit" ]; then python3 -IS /opt/sandbox/run --enabled & break; fi
    done
    while :; do sleep infinity & wait $!; done'
