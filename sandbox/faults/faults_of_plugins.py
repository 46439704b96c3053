"""CNI plugins that are missing on a node, or named wrongly."""

from __future__ import annotations

import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.faults.fault import Fault
from sandbox.faults.installed_networks import (
    HOST_GATEWAY,
    REMOVED,
    installed_plugin,
    removed_plugin,
)

FILE: Final = "/etc/cni/net.d/10-bridge.conf"
UNPACKED: Final = (
    """ssh worker-1 'sudo sh -ec "rm -rf /opt/cni/bin/*; mount --bind /usr/lib/cni /opt/cni/bin"'"""
)
"""The plugins of the sandbox's worker are in /opt/cni/bin again."""


def runtime_of_debian(worker: str) -> str:
    """The configuration that Debian's containerd package brings, as far as it is about plugins."""
    return f"""ssh {worker} 'sudo mkdir -p /etc/containerd; sudo tee /etc/containerd/config.toml' <<'END'
version = 2
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "/etc/cni/net.d"
END"""


def left_over(worker: str, file: str, plugin: str) -> str:
    """The CNI file of another network, whose plugin is not there."""
    network = f'{{"cniVersion": "0.3.1", "name": "{plugin}", "plugins": [{{"type": "{plugin}"}}]}}'
    return f"ssh {worker} 'sudo tee /etc/cni/net.d/{file}' <<<'{network}'"


def _identity() -> str:
    """A key and a certificate of its own for github.com, for one day."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "github.com")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("github.com")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (private + made.public_bytes(pem)).decode()


_SERVER: Final = r"""
import http.server, re, ssl
class Releases(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = re.fullmatch(
            r"/containernetworking/plugins/releases/download/(v[0-9.]+)/cni-plugins-linux-(amd64|arm64)-\1\.tgz",
            self.path,
        )
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(open("/root/plugins.tgz", "rb").read() if known else b"Not Found")
server = http.server.HTTPServer(("127.0.0.1", 443), Releases)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/root/github.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""
RELEASES: Final = f"""ssh worker-1 'sudo tee /root/github.pem' <<'END'
{_identity()}END
ssh worker-1 'sudo tee /root/releases.py' <<'END'
{_SERVER}END
ssh worker-1 sudo bash -e <<'END'
tar -czf /root/plugins.tgz -C /opt/cni/bin bridge host-local loopback
mkdir -p /etc/ssl/certs
cp /root/github.pem /etc/ssl/certs/ca-certificates.crt
echo 127.0.0.1 github.com >>/etc/hosts
setsid python3 /root/releases.py </dev/null >/dev/null 2>&1 & echo $! >/root/releases.pid
for _ in $(seq 100); do curl -sko /dev/null https://127.0.0.1 && break; sleep 0.1; done
END"""
"""A stand-in for github.com on worker-1 itself, which has no way to the real one: of its releases."""
NO_RELEASES: Final = r"""ssh worker-1 sudo bash -e <<'END'
kill $(cat /root/releases.pid)
sed -i /github.com/d /etc/hosts
rm -r /root/github.pem /root/releases.* /root/plugins.tgz /etc/ssl/certs
END"""

PLUGINS: Final = (
    Fault(
        name="plugins never unpacked",
        en="On worker-1 the CNI plugins were never unpacked.",
        pt="No worker-1 os plugins CNI nunca foram descompactados.",
        breaks=f"""{RELEASES}
ssh worker-1 'sudo umount /opt/cni/bin; sudo mount -t tmpfs tmpfs /usr/lib/cni'""",
        expected=("cni-plugin-missing worker-1",),
        cleans=f"ssh worker-1 'sudo umount /usr/lib/cni'\n{UNPACKED}\n{NO_RELEASES}",
    ),
    Fault(
        name="plugins in the package's folder",
        en="On worker-1 the CNI plugins were installed as a package, into /usr/lib/cni.",
        pt="No worker-1 os plugins CNI foram instalados como pacote, em /usr/lib/cni.",
        breaks="ssh worker-1 'sudo umount /opt/cni/bin'",
        expected=("cni-plugin-missing.elsewhere worker-1",),
        cleans=UNPACKED,
    ),
    Fault(
        name="the runtime looks in the package's folder",
        en="worker-1 has Debian's containerd, which looks in /usr/lib/cni, and the tutorial's plugins.",
        pt="O worker-1 tem o containerd do Debian, que procura em /usr/lib/cni, e os plugins do tutorial.",
        breaks=f"""{runtime_of_debian("worker-1")}
ssh worker-1 'sudo mount -t tmpfs tmpfs /usr/lib/cni'""",
        expected=("cni-plugin-missing.elsewhere worker-1",),
        cleans="ssh worker-1 'sudo umount /usr/lib/cni; sudo rm -r /etc/containerd'",
    ),
    Fault(
        name="plugin misspelt",
        en="The CNI file of worker-1 was typed by hand, and its type is brigde.",
        pt="O arquivo CNI do worker-1 foi digitado à mão, e o type ficou brigde.",
        breaks=f"""ssh worker-1 'sudo sed -E -i "s/(.type.: *.)bridge/\\1brigde/" {FILE}'""",
        expected=("cni-plugin-missing.misspelt worker-1",),
    ),
    Fault(
        name="the file of another network is left",
        en="worker-1 had Cilium before, and its CNI file comes before the tutorial's.",
        pt="O worker-1 já teve o Cilium, e o arquivo CNI dele vem antes do arquivo do tutorial.",
        breaks=left_over("worker-1", "05-cilium.conflist", "cilium-cni"),
        expected=("cni-plugin-missing.foreign worker-1",),
        cleans="ssh worker-1 'sudo rm /etc/cni/net.d/05-cilium.conflist.unused'",
    ),
    Fault(
        name="the file and the plugin of another network are left",
        en="worker-1 had Cilium before: its CNI file comes before the tutorial's, and its plugin is there.",
        pt="O worker-1 já teve o Cilium: o arquivo CNI dele vem antes do do tutorial, e o plugin está lá.",
        breaks=f"""{installed_plugin("worker-1", "cilium-cni")}
{left_over("worker-1", "05-cilium.conflist", "cilium-cni")}""",
        expected=("cni-network-mixed.left worker-1",),
        cleans=f"""{removed_plugin("worker-1")}
ssh worker-1 'sudo rm /etc/cni/net.d/05-cilium.conflist.unused'""",
    ),
    Fault(
        name="another network's file in the place of the tutorial's",
        en="worker-1 had Weave Net before, and the tutorial's CNI file was never written there.",
        pt="O worker-1 já teve o Weave Net, e o arquivo CNI do tutorial nunca foi escrito nele.",
        breaks=f"""{installed_plugin("worker-1", "weave-net")}
{left_over("worker-1", "10-weave.conflist", "weave-net")}
ssh worker-1 'sudo rm {FILE}'""",
        expected=("cni-network-mixed.left-alone worker-1",),
        cleans=f"""{removed_plugin("worker-1")}
ssh worker-1 'sudo rm /etc/cni/net.d/10-weave.conflist.unused'""",
    ),
    Fault(
        name="flannel without tunnels, and a check on",
        en="The cluster's network is flannel's with the backend host-gw; the check of worker-1 is on.",
        pt="A rede do cluster é a do flannel com o backend host-gw; a verificação do worker-1 está ligada.",
        breaks=f"""{HOST_GATEWAY}
aws ec2 modify-instance-attribute --instance-id ${{WORKER_1}} --source-dest-check""",
        expected=("source-dest-check-on worker-1",),
        cleans=REMOVED,
    ),
)
