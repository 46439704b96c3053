"""CNI files and plugins that make no pod, or pods that lack something; what is left of pods and bridges."""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Fault, Healthy
from sandbox.faults.faults_of_plugins import FILE, NO_RELEASES, RELEASES, UNPACKED

_COPIED: Final = """ssh worker-1 'sudo sh -ec "umount /opt/cni/bin
  cp /usr/lib/cni/bridge /usr/lib/cni/host-local /usr/lib/cni/loopback /opt/cni/bin/"'"""
"""worker-1 has the plugins in files of its own."""
_ARM: Final = (
    "ssh worker-1 sudo python3 - <<'END'"
    + r"""
import os, pathlib, struct
number = 62 if os.uname().machine == "aarch64" else 183
elf = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, number, 1) + bytes(100)
for name in ("bridge", "host-local", "loopback"):
    pathlib.Path("/opt/cni/bin", name).write_bytes(elf)
END"""
)
"""The plugins there are the beginning of programs for arm64."""


def edited(line: str) -> str:
    """The CNI file of worker-1, of which ``network`` is what it says, after a line of Python."""
    return f"""ssh worker-1 sudo python3 - <<'END'
import json, pathlib
file = pathlib.Path("{FILE}")
network = json.loads(file.read_text())
{line}
file.write_text(json.dumps(network, indent=4))
END"""


def _few(last: int) -> str:
    """Pods of worker-1 get addresses from .2 to ``last`` only."""
    ends = f'rangeStart="10.200.1.2", rangeEnd="10.200.1.{last}"'
    return edited(f'network["ipam"]["ranges"][0][0].update({ends})')


_ALL: Final = edited('for end in ("rangeStart", "rangeEnd"): network["ipam"]["ranges"][0][0].pop(end, None)')


def _pods(count: int) -> str:
    """So many pods on worker-1, made as kubelet's runtime makes them, and long ago."""
    return f"""ssh worker-1 sudo bash -e <<'END'
for n in $(seq {count}); do
  ip netns add pod$n
  CNI_COMMAND=ADD CNI_CONTAINERID=container-$n CNI_NETNS=/run/netns/pod$n CNI_IFNAME=eth0 \\
    CNI_PATH=/opt/cni/bin /opt/cni/bin/bridge <{FILE} >/dev/null
done
touch -d '1 day ago' /var/lib/cni/networks/bridge/10.*
END"""


def _gone(*numbers: int) -> str:
    """Those pods' namespaces went, and nobody told the plugin."""
    names = " ".join(f"pod{number}" for number in numbers)
    return f"ssh worker-1 'for pod in {names}; do sudo ip netns delete $pod; done'"


_NO_PODS: Final = f"""ssh worker-1 sudo bash <<'END'
for pod in $(ip netns list | cut -d' ' -f1); do
  case $pod in pod*) CNI_COMMAND=DEL CNI_CONTAINERID=container-${{pod#pod}} CNI_NETNS=/run/netns/$pod \\
    CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin /opt/cni/bin/bridge <{FILE}
    ip netns delete $pod ;; esac
done
ip link delete cnio0
rm -f /var/lib/cni/networks/bridge/10.*
END"""
_MASQUERADE_TOO: Final = """ssh worker-1 sudo bash <<'END'
iptables -t nat -S POSTROUTING | grep container- | while read -r rule; do
  eval iptables -t nat ${rule/-A/-D}
done
iptables -t nat -S | sed -n 's/^-N \\(CNI-.*\\)/\\1/p' | while read -r chain; do
  iptables -t nat -F $chain && iptables -t nat -X $chain
done
END"""
"""What a pod whose namespace went before the plugin was told leaves of its masquerade."""


def _old_bridge(name: str = "cnio0") -> str:
    return f"""ssh worker-1 'sudo sh -ec "ip link add {name} type bridge
  ip address add 10.99.1.1/24 dev {name}; ip link set {name} up"'"""


_ON_IT: Final = """ssh worker-1 'sudo sh -ec "ip netns add old
  ip link add vethold type veth peer name eth0 netns old; ip link set vethold master cnio0 up
  nsenter --net=/run/netns/old ip address add 10.99.1.7/24 dev eth0
  nsenter --net=/run/netns/old ip link set eth0 up"'"""
"""Not ``ip -n``: it mounts /sys, which an ordinary user's sandbox may not."""
_PODMAN: Final = f"""ssh worker-1 sudo python3 - <<'END'
import json, pathlib
file = pathlib.Path("{FILE}")
network = json.loads(file.read_text())
network.update(name="podman", bridge="cni-podman0")
network["ipam"]["ranges"] = [[{{"subnet": "10.88.0.0/16"}}]]
listed = {{"cniVersion": "0.4.0", "name": "podman", "plugins": [network]}}
file.with_name("NAME").write_text(json.dumps(listed))
END"""

CNI_PLUGINS: Final = (
    Fault(
        name="a plugin removed",
        en="On worker-1 somebody tidied up /opt/cni/bin, and host-local is gone.",
        pt="No worker-1 alguém arrumou /opt/cni/bin, e o host-local sumiu.",
        breaks=f"{RELEASES}\n{_COPIED}\nssh worker-1 'sudo rm /opt/cni/bin/host-local; "
        "sudo mount -t tmpfs tmpfs /usr/lib/cni'",
        expected=("cni-plugin-missing worker-1",),
        cleans=f"ssh worker-1 'sudo umount /usr/lib/cni'\n{UNPACKED}\n{NO_RELEASES}",
    ),
    Fault(
        name="a plugin without its x bit",
        en="The plugins of worker-1 were copied there one by one, and nobody may run them.",
        pt="Os plugins do worker-1 foram copiados um a um, e ninguém pode executá-los.",
        breaks=f"{_COPIED}\nssh worker-1 'sudo chmod a-x /opt/cni/bin/bridge /opt/cni/bin/host-local'",
        expected=("cni-plugin-fails.mode worker-1",),
        cleans=UNPACKED,
    ),
    Fault(
        name="plugins for another architecture",
        en="On worker-1 the plugins of the other architecture were unpacked.",
        pt="No worker-1 foram descompactados os plugins da outra arquitetura.",
        breaks=f"{RELEASES}\n{_COPIED}\n{_ARM}",
        expected=("cni-plugin-fails.machine worker-1",),
        cleans=f"{UNPACKED}\n{NO_RELEASES}",
    ),
    Fault(
        name="a plugin is an error page",
        en="A download on worker-1 failed, and under the name of bridge there is a page: Not Found.",
        pt="Um download falhou no worker-1, e com o nome bridge há uma página: Not Found.",
        breaks=f"""{RELEASES}\n{_COPIED}
ssh worker-1 'echo Not Found | sudo tee /opt/cni/bin/bridge >/dev/null'""",
        expected=("cni-plugin-fails.format worker-1",),
        cleans=f"{UNPACKED}\n{NO_RELEASES}",
    ),
    Fault(
        name="a CNI version that the plugins do not know",
        en="The CNI file of worker-1 is of a younger guide, and its plugins do not know that cniVersion.",
        pt="O arquivo CNI do worker-1 é de um guia mais novo, e os plugins não conhecem essa cniVersion.",
        breaks=edited('network["cniVersion"] = "9.9.9"'),
        expected=("cni-plugin-fails.version worker-1",),
    ),
    Fault(
        name="a plugin says no in its own words",
        en="A sysctl that does not exist was added to the chained plugins of worker-1.",
        pt="Um sysctl que não existe foi posto entre os plugins encadeados do worker-1.",
        breaks=edited(
            'plugins = [network, {"type": "tuning", "sysctl": {"net.ipv4.no_such_thing": "0"}}]\n'
            'file.with_name("05-tuned.conflist").write_text(\n'
            '    json.dumps({"cniVersion": "0.4.0", "name": "bridge", "plugins": plugins}))'
        ),
        expected=("cni-plugin-fails worker-1",),
        restores="ssh worker-1 'sudo rm /etc/cni/net.d/05-tuned.conflist'",
    ),
)

LEFT_OVER: Final = (
    Fault(
        name="an old bridge",
        en="worker-1 still has the bridge of an earlier pod CIDR, and nothing hangs on it.",
        pt="O worker-1 ainda tem a bridge de um pod CIDR anterior, e nada está ligado a ela.",
        breaks=_old_bridge(),
        expected=("cni-bridge-conflict worker-1",),
    ),
    Fault(
        name="an old bridge with a pod on it",
        en="worker-1 still has the bridge of an earlier pod CIDR, and a pod hangs on it.",
        pt="O worker-1 ainda tem a bridge de um pod CIDR anterior, e um pod está ligado a ela.",
        breaks=f"{_old_bridge()}\n{_ON_IT}",
        expected=("cni-bridge-conflict.in-use worker-1",),
        restores="ssh worker-1 'sudo ip netns delete old; sudo ip link delete cnio0'",
    ),
    Fault(
        name="addresses of dead containers",
        en="All addresses that worker-1 gives out are held by containers that are gone since it crashed.",
        pt="Todos os endereços que o worker-1 dá são de contêineres que não existem desde que ele caiu.",
        breaks=f"{_few(4)}\n{_pods(3)}\n{_gone(1, 2, 3)}\n{_MASQUERADE_TOO}",
        expected=("cni-addresses-exhausted worker-1",),
        cleans=f"{_NO_PODS}\n{_ALL}",
    ),
    Fault(
        name="addresses of dead containers and of one that lives",
        en="Of the addresses that worker-1 gives out, two are held by dead containers, and one is in use.",
        pt="Dos endereços que o worker-1 dá, dois são de contêineres mortos, e um está em uso.",
        breaks=f"{_few(4)}\n{_pods(3)}\n{_gone(1, 3)}\n{_MASQUERADE_TOO}",
        expected=("cni-addresses-exhausted worker-1",),
        cleans=f"""ssh worker-1 'cd /var/lib/cni/networks/bridge
test "$(grep -ho container-. 10.*)" = container-2'
{_NO_PODS}\n{_ALL}""",
    ),
    Fault(
        name="all addresses in use",
        en="worker-1 gives out three addresses only, and three pods have them.",
        pt="O worker-1 só dá três endereços, e três pods os têm.",
        breaks=f"{_few(4)}\n{_pods(3)}",
        expected=("cni-addresses-exhausted.in-use worker-1",),
        restores=f"{_NO_PODS}\n{_ALL}",
    ),
)

CNI_FILES: Final = (
    Fault(
        name="no isGateway",
        en="The CNI file of worker-1 was typed by hand, without isGateway.",
        pt="O arquivo CNI do worker-1 foi digitado à mão, sem isGateway.",
        breaks=edited('del network["isGateway"]'),
        expected=("cni-config-wrong worker-1",),
    ),
    Fault(
        name="isGateway is false",
        en="The CNI file of worker-1 says that its bridge is no gateway.",
        pt="O arquivo CNI do worker-1 diz que a bridge não é gateway.",
        breaks=edited('network["isGateway"] = False'),
        expected=("cni-config-wrong worker-1",),
    ),
    Fault(
        name="no routes for pods",
        en="The CNI file of worker-1 was typed by hand, without the pods' default route.",
        pt="O arquivo CNI do worker-1 foi digitado à mão, sem a rota padrão dos pods.",
        breaks=edited('del network["ipam"]["routes"]'),
        expected=("cni-config-wrong.no-route worker-1",),
    ),
    Fault(
        name="a route for pods to their own range only",
        en="The CNI file of worker-1 has a route for 10.200.1.0/24 where the default one belongs.",
        pt="O arquivo CNI do worker-1 tem uma rota para 10.200.1.0/24 no lugar da rota padrão.",
        breaks=edited('network["ipam"]["routes"] = [{"dst": "10.200.1.0/24"}]'),
        expected=("cni-config-wrong.no-route worker-1",),
    ),
    Fault(
        name="masquerade off on one worker",
        en="The CNI file of worker-1 has ipMasq off, unlike the others'.",
        pt="O arquivo CNI do worker-1 tem ipMasq desligado, ao contrário dos outros.",
        breaks=edited('network["ipMasq"] = False'),
        expected=("cni-config-wrong.no-masquerade worker-1",),
    ),
    Fault(
        name="half of the pod CIDR",
        en="The CNI file of worker-1 says 10.200.1.0/25, which is half of its pod CIDR.",
        pt="O arquivo CNI do worker-1 diz 10.200.1.0/25, que é metade do pod CIDR dele.",
        breaks=edited('network["ipam"]["ranges"] = [[{"subnet": "10.200.1.0/25"}]]'),
        expected=("cni-config-wrong.part worker-1",),
    ),
    Fault(
        name="another tool's file comes first",
        en="Podman was installed on worker-1, and its CNI file comes before the tutorial's.",
        pt="O Podman foi instalado no worker-1, e o arquivo CNI dele vem antes do arquivo do tutorial.",
        breaks=_PODMAN.replace("NAME", "05-podman.conflist"),
        expected=("cni-config-wrong.another worker-1",),
        cleans="ssh worker-1 'sudo rm /etc/cni/net.d/05-podman.conflist.unused'",
    ),
)

WELL: Final = (
    Healthy(
        name="an old bridge of another name",
        en="worker-1 still has the bridge of an earlier network, which its CNI file does not name.",
        pt="O worker-1 ainda tem a bridge de uma rede anterior, que o arquivo CNI dele não cita.",
        does=_old_bridge("cni-old"),
        cleans="ssh worker-1 'sudo ip link delete cni-old'",
    ),
    Healthy(
        name="addresses of dead containers, and room enough",
        en="Three addresses of worker-1 are held by dead containers, and two hundred are left.",
        pt="Três endereços do worker-1 são de contêineres mortos, e sobram duzentos.",
        does=f"{_pods(3)}\n{_gone(1, 2, 3)}\n{_MASQUERADE_TOO}",
        cleans=_NO_PODS,
    ),
    Healthy(
        name="another tool's file comes later",
        en="Podman was installed on worker-1, and its CNI file comes after the tutorial's.",
        pt="O Podman foi instalado no worker-1, e o arquivo CNI dele vem depois do arquivo do tutorial.",
        does=_PODMAN.replace("NAME", "87-podman.conflist"),
        cleans="ssh worker-1 'sudo rm /etc/cni/net.d/87-podman.conflist'",
    ),
    Healthy(
        name="a gateway and a default route by one word",
        en="The CNI file of worker-1 has isDefaultGateway, which brings the gateway and the default route.",
        pt="O arquivo CNI do worker-1 tem isDefaultGateway, que traz o gateway e a rota padrão.",
        does=edited(
            'del network["isGateway"], network["ipam"]["routes"]; network["isDefaultGateway"] = True'
        ),
        cleans=edited(
            'del network["isDefaultGateway"]; network["isGateway"] = True\n'
            'network["ipam"]["routes"] = [{"dst": "0.0.0.0/0"}]'
        ),
    ),
)
