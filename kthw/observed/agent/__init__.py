"""The program a worker runs for us, sent over the channel's stdin; nothing is installed there.

Its modules use the standard library only and run on Python 3.6 or later as uid 0, their annotations taken
off; all of ``SOURCES`` is sent, and ``main`` of the last one runs. It reads requests on stdin and answers
on stdout, one JSON object a line, each answer with the request's ``id``:

``{"do": "facts", "configs": DIR, "plugins": DIR, "runtime": FILE}``
    what the node is: ``hostname``, ``addresses``, ``ip_forward``, ``cni``, ``cni_path``,
    ``cni_plugins``, ``cni_elsewhere``, ``cni_unfit``, ``kubelet_pod_cidr``, ``imds``, ``failed`` (the
    errors of what could not be looked at; the rest holds).
    Plugins are looked for where the runtime's configuration says, else in ``plugins``.
``{"do": "pod", "worker": NAME, "run": ID, "port": N, "configs": DIR, "plugins": DIR, "runtime": FILE}``
    makes the probe pod with the node's own CNI configuration and plugins: ``address``, ``file``, ``mtu``
    (0 where its interface does not say). Where they make none, as they would make none for kubelet:
    ``failure``, and no address.
``{"do": "ways", "towards": {WORKER: [ADDRESS, CIDR]}, "beyond": [[NAME, ADDRESS]]}``
    what packets of its pods meet on the node: ``links``, ``rp_filter``,
    ``bridge_netfilter``, ``ways``, ``rules``, ``lookups``,
    ``beyond`` (the ways there, where pods' may be others than the node's), ``routes``, ``keeper``,
    ``firewall``, ``lacking`` (programs that are not there), ``failed``.
``{"do": "probe", "peers": [{"worker", "address", "port"}], "node": A, "internet": [A, PORT], "seconds": S}``
    sends from inside the pod to everybody at once, then counts what is lost of what is lost in part, and
    looks for the limit of what is too narrow for packets of the pod's MTU: ``probes``, a list of
    ``[kind, worker, address, protocol, size, reached, detail, milliseconds, limit, sent, lost]``.
``{"do": "watch", "mark": HEX, "port": N, "pairs": [[NUMBER, PROTOCOL, SOURCE, ITS NODE, DESTINATION]]}``
    from now on, notes which interfaces see packets of these pairs.
``{"do": "send", "pairs": [[NUMBER, PROTOCOL, DESTINATION]], "times": N, "pause": S}``
    sends them from inside the pod, marked.
``{"do": "seen", "seconds": S}``
    waits, stops watching: ``seen``, a list of ``[number, "request"|"reply", interface, in the pod]``;
    ``moved``, the counters of what is taken away that moved since ``watch``; ``programs`` that may take more.
``{"do": "further", "addresses": [ADDRESS]}``
    makes a further pod with each of these addresses that is of the node's own network and nobody's:
    ``made``, and ``taken``, those that are somebody's; the node's network does not give the others.
``{"do": "listen", "ports": [[PROTOCOL, PORT, FURTHER POD]]}``
    from now on, the probe pod (``""``) or a further one answers there as well.
``{"do": "single", "packets": [[NUMBER, PROTOCOL, WORKER, ADDRESS, PORT, SOURCE PORT, FURTHER POD]],
"seconds": S}``
    sends them from inside the pod, or a further one: ``answered``, ``unsent``, lists of numbers.
``{"do": "end"}``
    takes the pod away again, and all further ones.
``{"do": "add-route"|"delete-route", "node": ADDRESS, "destination": CIDR, "via": ADDRESS}``
    only in a session that was opened for provisioning: ``done``, ``detail``, and the ``routes`` that are
    there afterwards. In any other session nobody can ask that: its program has no such code.

Each field of a request is checked before anything is done with it (``asked``): we run as root, and some of
it was said by other workers. Answers are UTF-8 and bounded, whatever the node's files and names are.

What goes wrong is answered as ``{"error": {"code", "detail", "facts"}}``. The pod goes with the
program: on end of input, on a signal, or (``SIGKILL``) by the kernel, because the pod's network
namespace has no name and belongs to a child that dies with us. What a killed agent could not take
back, addresses and masquerade rules, the next one sweeps.
"""

SOURCES = (
    "system", "asked", "cni", "programs", "metadata", "firewall", "ways", "rules", "kept", "keeper", "node",
    "turns", "datagrams", "answering", "pod", "sweep", "spaces", "unmade", "calls", "mesh", "counting",
    "limits", "measuring", "watch", "counters", "further", "single", "conversation",
)  # fmt: skip
"""Its modules. A worker compiles each when it is imported: what is seldom needed is imported late."""
WRITING = ("kernel_routes",)
"""What a session has besides that was opened to write."""
OLDEST_PYTHON = (3, 6)
"""Ubuntu 18.04's. What is older is told so, in one sentence."""
