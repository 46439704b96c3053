"""The node's pod network: its CNI files, and its plugins driven as kubelet drives them."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kthw.observed.agent.asked import is_address
from kthw.observed.agent.system import MOST_DETAIL, MOST_NAME, AgentError, tool, writable

INTERFACE = "eth0"
"""What a pod's interface is called inside it, as kubelet's runtimes call theirs."""
MOST_FILES = 200
MOST_BYTES = 1 << 20
"""Of one CNI file, and of the runtime's configuration."""
MOST_FOLDERS = 8
MOST_POD_ROUTES = 16
FOLDERS = ("/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni")
"""Where plugins are put: by the tutorials and most networks, by Debian's packages, by Fedora's."""
WRAPPERS = ("multus", "multus-shim")
"""Plugins that make no pod network, but hand each pod on: to one named inside, or to the next file's."""
_BIN_DIRS = re.compile(r"""^\s*bin_dirs?\s*=\s*(\[[^\]]*\]|"[^"\n]*"|'[^'\n]*')""", re.MULTILINE)
_QUOTED = re.compile(r""""([^"\n]*)"|'([^'\n]*)'""")


def cni_files(directory: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each plugin entry of each CNI file in file-name order: what it says, and its network.

    The network is ``{"file", "name", "cniVersion", "through", "plugins": [...]}``, empty for a broken file.
    """
    try:
        files = sorted(Path(directory).iterdir())
    except OSError:
        return
    for file in [each for each in files if each.suffix in (".conf", ".conflist", ".json")][:MOST_FILES]:
        try:
            network = read_network(file)
        except (OSError, ValueError) as problem:
            yield {"file": file.name[:MOST_NAME], "problem": str(problem)[:MOST_DETAIL]}, {}
            continue
        for plugin in network["plugins"]:
            ipam = plugin.get("ipam") if isinstance(plugin.get("ipam"), dict) else {}
            ranges = ipam.get("ranges") or [[{}]]
            try:
                subnet = ipam.get("subnet") or ranges[0][0].get("subnet") or ""
            except (AttributeError, IndexError, KeyError, TypeError):
                subnet = ""
            said = {"file": file.name, "type": plugin["type"], "name": network["name"]}
            said["ipam"] = ipam.get("type") or ""
            said = dict(said, bridge=bridge_of(plugin), subnet=subnet, through=network["through"])
            texts = {field: str(value)[:MOST_NAME] for field, value in said.items()}
            by_default = bool(plugin.get("isDefaultGateway"))
            routes = (["0.0.0.0/0"] if by_default else []) + routes_of(ipam)
            ways = {
                "ip_masq": bool(plugin.get("ipMasq", False)),
                "gateway": by_default or bool(plugin.get("isGateway")),
                "routes": routes[:MOST_POD_ROUTES],
            }
            yield dict(texts, **ways), network


def read_network(file: Path) -> dict[str, Any]:
    """The network of one CNI file. Raises ``OSError``, and ``ValueError`` for what kubelet would refuse.

    As Go reads JSON, what is no UTF-8, or half a surrogate pair, is U+FFFD.
    """
    if not file.is_file():
        raise ValueError("no regular file")
    with file.open("rb") as opened:
        content = opened.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"longer than {MOST_BYTES} bytes")
    try:
        document = writable(json.loads(content.decode("utf-8", "replace")))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("no JSON object")
    plugins, through = listed(document), ""
    inside = plugins[0].get("delegates") if plugins and isinstance(plugins[0], dict) else None
    first = inside[0] if isinstance(inside, list) and inside else None
    if isinstance(first, dict) and plugins[0].get("type") in WRAPPERS:
        through = str(plugins[0]["type"])
        document = dict(document, **first)
        plugins = listed(first)
    if len(plugins) > MOST_FILES:
        raise ValueError("too many plugins in the list")
    if not plugins:
        raise ValueError("no plugin in the list")
    for plugin in plugins:
        if not isinstance(plugin, dict) or not plugin.get("type"):
            raise ValueError("no plugin type")
    return {
        "file": file.name,
        "name": document.get("name", ""),
        "cniVersion": document.get("cniVersion", "0.1.0"),
        "through": through,
        "plugins": plugins,
    }


def routes_of(ipam: dict[str, Any]) -> list[str]:
    """The IPv4 destinations that it gives each pod a route for."""
    said = ipam.get("routes")
    found = []
    for each in said if isinstance(said, list) else ():
        with contextlib.suppress(AttributeError, ValueError):
            found.append(str(ipaddress.IPv4Network(each.get("dst"), strict=False)))
    return found[:MOST_POD_ROUTES]


def listed(document: dict[str, Any]) -> list[Any]:
    """The plugins of a list, or the one that the document is of."""
    return document["plugins"] if isinstance(document.get("plugins"), list) else [document]


def bridge_of(plugin: dict[str, Any]) -> str:
    """The bridge its pods hang on; flannel's plugin has another one make it, the bridge plugin by default."""
    said = plugin.get("delegate")
    delegate = said if isinstance(said, dict) else {}
    makes = delegate.get("type") or "bridge" if plugin["type"] == "flannel" else plugin["type"]
    named = plugin.get("bridge") or delegate.get("bridge")
    return str(named or ("cni0" if makes == "bridge" else ""))


def plugin_folders(usual: str, runtime: str) -> list[str]:
    """Where the container runtime looks for plugins: where containerd's configuration says, else ``usual``.

    ``bin_dir`` in it, or ``bin_dirs`` since containerd 2: Debian's package says ``/usr/lib/cni`` there.
    """
    said = ""
    with contextlib.suppress(OSError):
        if Path(runtime).is_file():
            with Path(runtime).open("rb") as opened:
                said = opened.read(MOST_BYTES).decode("utf-8", "replace")
    folders = [a or b for value in _BIN_DIRS.findall(said) for a, b in _QUOTED.findall(value)]
    fit = [each for each in dict.fromkeys(folders) if each.startswith("/") and ":" not in each]
    return [each for each in fit if each.isprintable() and len(each) <= MOST_NAME][:MOST_FOLDERS] or [usual]


def program(kind: str, folders: list[str]) -> Path:
    """Where the runtime finds that plugin; in the first folder where it would be, if it is nowhere."""
    there = [Path(folder, Path(kind).name) for folder in folders]
    for each in there:
        with contextlib.suppress(OSError, ValueError):
            if each.is_file():
                return each
    return there[0]


def plugins_in(folder: str) -> list[str]:
    """The programs that can be run there; none where there is no such folder. Raises ``OSError``."""
    try:
        files = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [each.name[:MOST_NAME] for each in files if each.is_file() and os.access(each.path, os.X_OK)]


class UnmadeError(AgentError):
    """The node's own network makes no pod, as it would make none for kubelet either.

    ``cause``: ``no-network`` (no file names one), ``no-program`` (the plugin is in none of the folders),
    ``not-run`` (the kernel would not run it), ``refused`` (it ended with an error, of CNI's ``number``),
    ``no-address``.
    """

    def __init__(self, cause: str, said: str, told: dict[str, str], number: int = 0) -> None:
        super().__init__("cni-failed", said, **told)
        self.cause = cause
        self.said = said
        self.told = told
        self.number = number


class Network:
    """The node's pod network, driven as kubelet drives it: CNI ADD and DEL with the real plugins.

    ``wanted``: the address that ``host-local`` is to give; it gives no other, and none that is another's.
    """

    def __init__(self, network: dict[str, Any], plugins: list[str], wanted: str = "") -> None:
        self.network = network
        self.plugins = plugins
        self.wanted = wanted
        self.result: dict[str, Any] | None = None

    @classmethod
    def of_node(cls, configs: str, plugins: list[str]) -> Network:
        """The first valid network by file name, as kubelet's runtime takes it; loopback is not one.

        Nor is a wrapper, unless there is nothing to wrap.
        """
        broken, wrapper = [], None
        for said, network in cni_files(configs):
            if not network:
                broken.append(f"{said['file']}: {said['problem']}")
            elif network["plugins"][0]["type"] in WRAPPERS:
                wrapper = wrapper or network
            elif network["plugins"][0]["type"] != "loopback":
                return cls(network, plugins)
        if wrapper:
            return cls(wrapper, plugins)
        seen = "; ".join(broken)
        raise UnmadeError("no-network", seen or "no network in " + configs, {})

    @property
    def bridge(self) -> str:
        first = self.network["plugins"][0]
        return bridge_of(first) if first["type"] in ("bridge", "flannel") else ""

    def add(self, container: str, namespace: str) -> str:
        """CNI ADD of every plugin in order; the pod's IPv4 address."""
        for plugin in self.network["plugins"]:
            self.result = self._plugin("ADD", plugin, container, namespace)
        result = self.result or {}
        ips, old = result.get("ips"), result.get("ip4")
        told = [
            each.get("address") for each in (ips if isinstance(ips, list) else ()) if isinstance(each, dict)
        ]
        told.append(old.get("ip") if isinstance(old, dict) else "")
        for address in (str(each).split("/")[0] for each in told):
            if is_address(address):
                return address
        raise UnmadeError("no-address", "", {"file": str(self.network["file"])})

    def delete(self, container: str, namespace: str) -> None:
        """CNI DEL of every plugin in reverse; goes on after one that fails, and raises the first failure."""
        failure = None
        for plugin in reversed(self.network["plugins"]):
            try:
                self._plugin("DEL", plugin, container, namespace)
            except AgentError as problem:
                failure = failure or problem
        if failure:
            raise failure

    def _plugin(self, command: str, plugin: dict[str, Any], container: str, namespace: str) -> dict[str, Any]:
        network = self.network
        config = dict(plugin, name=network["name"], cniVersion=network["cniVersion"])
        if self.result is not None:
            config["prevResult"] = self.result
        environment = {
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": container,
            "CNI_NETNS": namespace,
            "CNI_IFNAME": INTERFACE,
            "CNI_PATH": ":".join(self.plugins),
        }
        if self.wanted:  # plugins that know no such argument are to go on
            environment["CNI_ARGS"] = f"IgnoreUnknown=1;IP={self.wanted}"
        kind = str(plugin["type"])
        told = {"file": str(network["file"]), "plugin": kind}
        path = program(kind, self.plugins)
        try:
            done = tool(str(path), input=json.dumps(config), environment=environment)
        except OSError as problem:
            # That a program's interpreter is not there is told in the same way as that it is not itself.
            cause = "not-run" if os.access(str(path), os.F_OK) else "no-program"
            raise UnmadeError(cause, f"{path}: {os.strerror(problem.errno or 0)}", told) from None
        except (ValueError, subprocess.TimeoutExpired) as problem:
            raise AgentError("cni-failed", f"{kind}: {problem}", **told) from None
        try:
            answer = json.loads(done.stdout) if done.stdout.strip() else {}
        except (ValueError, RecursionError):
            answer = {}
        answer = answer if isinstance(answer, dict) else {}
        if done.returncode:
            said = [str(answer[key]) for key in ("msg", "details") if answer.get(key)]
            message = ": ".join(said) or done.stderr.strip()[-500:] or f"exit status {done.returncode}"
            number = answer.get("code")
            number = number if isinstance(number, int) else 0
            raise UnmadeError("refused", f"{kind} {command}: {message}", told, number)
        return answer
