"""A person's terminal: a shell in which ``aws`` and ``ssh`` reach the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sandbox.box import Sandbox
from sandbox.faults.aws_cli import CLIENT

_START_SECONDS: Final = 120.0
"""Two seconds of CPU, of which a machine with much else to do gives a twentieth."""
_LINE_SECONDS: Final = 60.0
_END_SECONDS: Final = 10.0
_ROOT: Final = Path(__file__).resolve().parents[2]

PRELUDE: Final = r"""
# By the names of the sandbox's ssh_config; what is printed names its own way in.
ssh() { command ssh -o LogLevel=ERROR -F "${KTHW_SSH_CONFIG}" "$@"; }
# The chapters "Provisioning Compute Resources" and, where the user data says a pod CIDR, "Bootstrapping the
# Kubernetes Worker Nodes", for one worker: NAME ADDRESS USER-DATA [OPTION]
launch() {
  local id
  id=$(aws ec2 run-instances --image-id ami-0000000000002204a --count 1 --instance-type t3.micro \
    --key-name kubernetes --security-group-ids "${SG}" --subnet-id "${SUBNET}" --private-ip-address "$2" \
    "${4:---associate-public-ip-address}" --user-data "$3" \
    --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$1}]" \
    --query 'Instances[0].InstanceId' --output text)
  aws ec2 modify-instance-attribute --instance-id "$id" --no-source-dest-check
  case $3 in *pod-cidr=*) bootstrap "$id" ;; esac
  echo "$id"
}
bootstrap() {
  local address tries=0
  address=$(aws ec2 describe-instances --instance-ids "$1" --output text \
    --query 'Reservations[0].Instances[0].PublicIpAddress')
  until ssh "$address" true 2>/dev/null || [ $((tries += 1)) = 50 ]; do sleep 0.1; done
  ssh "$address" sudo sh -eu <<'END'
    POD_CIDR=$(curl -s http://169.254.169.254/latest/user-data/ | tr '|' '\n' | sed -n s/^pod-cidr=//p)
    mkdir -p /etc/cni/net.d
    cat >/etc/cni/net.d/10-bridge.conf <<EOF
{
    "cniVersion": "0.3.1",
    "name": "bridge",
    "type": "bridge",
    "bridge": "cnio0",
    "isGateway": true,
    "ipMasq": true,
    "ipam": {
        "type": "host-local",
        "ranges": [[{"subnet": "${POD_CIDR}"}]],
        "routes": [{"dst": "0.0.0.0/0"}]
    }
}
EOF
    echo '{"cniVersion": "0.3.1", "name": "lo", "type": "loopback"}' >/etc/cni/net.d/99-loopback.conf
END
}
# A machine of that name in a VPC of its own, as a second attempt leaves one behind: NAME
launch_elsewhere() {
  export VPC_9 SUBNET_9 STRANGER
  VPC_9=$(aws ec2 create-vpc --cidr-block 10.9.0.0/16 --query Vpc.VpcId --output text)
  SUBNET_9=$(aws ec2 create-subnet --vpc-id "$VPC_9" --cidr-block 10.9.1.0/24 \
    --query Subnet.SubnetId --output text)
  STRANGER=$(aws ec2 run-instances --image-id ami-0000000000002204a --count 1 --instance-type t3.micro \
    --key-name kubernetes --subnet-id "$SUBNET_9" --user-data "name=$1|pod-cidr=10.200.1.0/24" \
    --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$1}]" \
    --query 'Instances[0].InstanceId' --output text)
}
clear_elsewhere() {
  aws ec2 terminate-instances --instance-ids "$STRANGER"
  aws ec2 delete-subnet --subnet-id "$SUBNET_9"
  aws ec2 delete-vpc --vpc-id "$VPC_9"
}
# Other user data for an instance: ID TEXT
user_data() {
  aws ec2 stop-instances --instance-ids "$1" >/dev/null
  aws ec2 modify-instance-attribute --instance-id "$1" --attribute userData \
    --value "$(printf %s "$2" | base64 -w0)"
  aws ec2 start-instances --instance-ids "$1" >/dev/null
}
# Take every entry but number 100 from the second subnet's network ACL
open_acl() {
  local way number
  for way in ingress egress; do
    for number in $(aws ec2 describe-network-acls --network-acl-ids "${ACL_2}" --output text --query \
      "NetworkAcls[0].Entries[?Egress==\`$([ $way = egress ] && echo true || echo false)\`].RuleNumber"); do
      case $number in 100 | 32767) ;; *)
        aws ec2 delete-network-acl-entry --network-acl-id "${ACL_2}" --$way --rule-number $number ;;
      esac
    done
  done
}
acl() {
  aws ec2 create-network-acl-entry --network-acl-id "${ACL_2}" --$1 --rule-number $2 --rule-action $3 \
    --cidr-block $4 --protocol ${5:--1} ${@:6}
}
# A prefix list of these ranges, its id in LIST: CIDR …; and a route by it: ACTION TARGET
listing() {
  export LIST
  LIST=$(aws ec2 create-managed-prefix-list --prefix-list-name pods --address-family IPv4 --max-entries 4 \
    --entries "${@/#/Cidr=}" --query PrefixList.PrefixListId --output text)
}
by_list() {
  aws ec2 "$1" --route-table-id "${TABLE}" --destination-prefix-list-id "${LIST}" $2 >/dev/null
}
# A second interface of worker-1 without the source/dest check, its ids in SECOND and ATTACHED: GROUP
second() {
  export SECOND ATTACHED
  SECOND=$(aws ec2 create-network-interface --subnet-id "${SUBNET}" --groups "$1" \
    --query NetworkInterface.NetworkInterfaceId --output text)
  ATTACHED=$(aws ec2 attach-network-interface --network-interface-id "$SECOND" \
    --instance-id "${WORKER_1}" --device-index 1 --query AttachmentId --output text)
  aws ec2 modify-network-interface-attribute --network-interface-id "$SECOND" --no-source-dest-check
}
drop_second() {
  aws ec2 detach-network-interface --attachment-id "${ATTACHED}"
  aws ec2 delete-network-interface --network-interface-id "${SECOND}"
  # The next interface with its address has another MAC, which a neighbour would ask for after seconds only.
  ssh worker-0 sudo ip neigh flush dev ens5
}
# A security group that lets in, whatever the protocol, a range only; its id in ONLY: CIDR
group_for() {
  export ONLY
  ONLY=$(aws ec2 create-security-group --group-name "only-$RANDOM$RANDOM" --description only \
    --vpc-id "${VPC}" --query GroupId --output text)
  aws ec2 authorize-security-group-ingress --group-id "$ONLY" --protocol all --cidr "$1" >/dev/null
}
# Detach the gateway. AWS does not while public addresses are mapped; a stopped machine has none: INSTANCE …
detach_gateway() {
  aws ec2 stop-instances --instance-ids "$@" >/dev/null
  aws ec2 detach-internet-gateway --internet-gateway-id "${IGW}" --vpc-id "${VPC}"
  aws ec2 start-instances --instance-ids "$@" >/dev/null
}
# What a restart leaves of a worker's kernel routes: what the node's own files bring back. WORKER
restart() {
  ssh "$1" sudo sh -e <<'END'
    ip route show root 10.200.0.0/16 | grep ' via ' | while read -r route; do ip route del $route; done
    cat /etc/systemd/system/*.service 2>/dev/null | sed -n 's/^ExecStart=//p' | sh -e
    if [ -d /etc/network/if-up.d ]; then IFACE=ens5 run-parts --exit-on-error /etc/network/if-up.d; fi
END
}
# Whether a restart brings it back: WORKER CIDR
comes_back() {
  restart "$1"
  ssh "$1" ip route show "$2" | grep via
}
# Have a unit, and nothing beside it, bring a kernel route back: WORKER ROUTE; and nothing at all: WORKER
keep() {
  forget "$1"
  echo "ExecStart=/sbin/ip route replace $2" |
    ssh "$1" "sudo mkdir -p /etc/systemd/system; sudo tee /etc/systemd/system/pod-routes.service >/dev/null"
}
forget() { ssh "$1" sudo rm -f /etc/systemd/system/pod-routes.service /etc/network/if-up.d/pod-routes; }
# Whether a machine gets through to an address of a worker's pods, where sshd answers; or not: MACHINE NUMBER
reaches() {
  local code=0
  ssh "worker-$2" sudo ip address add "10.200.$2.250/32" dev lo
  ssh "$1" "timeout 3 bash -c '</dev/tcp/10.200.$2.250/22'" 2>/dev/null || code=$?
  ssh "worker-$2" sudo ip address del "10.200.$2.250/32" dev lo
  return $code
}
lost() { if reaches "$@"; then return 1; fi; }
# Whether the CNI plugin of all workers masquerades: on|off
masquerade() {
  local worker
  for worker in worker-0 worker-1; do
    ssh $worker sudo sed -i "'/ipMasq/s/: .*/: $([ $1 = on ] && echo true || echo false),/'" \
      /etc/cni/net.d/10-bridge.conf
  done
}
route() { aws ec2 "$1" --route-table-id "${4:-${TABLE}}" --destination-cidr-block "$2" $3 >/dev/null; }
"""
"""Two steps of the tutorial and some abbreviations, for the catalogue's own lines; fixes are run without."""


class TypingError(AssertionError):
    """A command did not do what it was typed for. The text is what was typed and what it printed."""


class Terminal:
    """``close`` ends it. Its folder is the sandbox's, where the tutorial's private key is.

    ``environment``: the one that lines are run with, whose ``aws`` has started already.
    """

    def __init__(self, box: Sandbox) -> None:
        programs = box.directory / "terminal"
        programs.mkdir()
        asked = programs / "aws.socket"
        self._folder = box.directory
        self._path = programs
        self._write("aws", f"#!{sys.executable} -IS\nSOCKET = {str(asked)!r}\n{CLIENT}")
        self.environment = {
            **os.environ,
            **box.environment,
            "PATH": f"{programs}:{os.environ.get('PATH', '')}",
        }
        self._cli = subprocess.Popen(
            [sys.executable, "-m", "sandbox.faults.aws_cli", str(asked)],
            cwd=_ROOT,
            env={**os.environ, **box.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _START_SECONDS
        while not asked.exists():
            if self._cli.poll() is not None or time.monotonic() > deadline:
                raise TypingError("the AWS CLI did not start")
            time.sleep(0.02)

    def close(self) -> None:
        if self._cli.stdin:
            self._cli.stdin.close()
        try:
            self._cli.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:  # a machine with much else to do: it has nothing left to say
            self._cli.kill()
            self._cli.wait()

    def types(self, lines: str, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        """Run ``lines`` as a script that stops at its first failure; return what it exported.

        Raises ``TypingError``. With ``variables`` the prelude's functions are there too; without, the lines
        are run as they are, as one pastes what was printed.
        """
        script = ("" if variables is None else PRELUDE) + lines
        exported = self._path / "exported"
        whole = f"set -euo pipefail\n{script}\nenv -0 >{exported}\n"
        known = {**self.environment, **(variables or {})}
        try:
            done = subprocess.run(
                ["bash", "-c", whole],
                cwd=self._folder,
                env=known,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_LINE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as slow:
            raise TypingError(f"did not end in {_LINE_SECONDS:.0f} s:\n{lines}\n{slow.stderr!r}") from slow
        if done.returncode:
            raise TypingError(f"exit code {done.returncode} of:\n{lines}\n{done.stdout}{done.stderr}")
        pairs = (each.partition("=") for each in exported.read_text().split("\0") if each)
        made = {name: value for name, _, value in pairs if name.isupper() and name not in self.environment}
        return {name: value for name, value in made.items() if known.get(name) != value}

    def _write(self, name: str, text: str) -> None:
        path = self._path / name
        path.write_text(text)
        path.chmod(0o755)
