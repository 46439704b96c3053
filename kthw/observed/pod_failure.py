"""Why a worker's own network made no probe pod, and would make none for kubelet: part of the evidence.

Get these nouns from ``kthw.observed.evidence``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from kthw.observed.values import Address, Cidr, Interface, MaybeIdentifier, Name, Small, Text

_Version = Annotated[str, Meta(pattern=r"\A[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\Z")]
_Seconds = Annotated[int, Meta(ge=0, le=1 << 40)]


class UnfitProgram(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A CNI plugin that is there, at ``path``, and that the kernel would not run.

    ``why``: ``mode`` (nobody may run it), ``machine`` (it is ``built_for`` another than the node's
    ``machine``, both as ``uname -m`` says it), ``format`` (it is no program).
    """

    path: Name
    why: Literal["mode", "machine", "format"]
    built_for: MaybeIdentifier = ""
    machine: MaybeIdentifier = ""


class OldBridge(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The bridge ``name`` as it was there before the pod: its addresses with their prefix, the interfaces
    that hang on it (``ports``), and, where some do, the addresses of its networks that other network
    namespaces have (``pods``).
    """

    name: Interface
    addresses: Annotated[tuple[Cidr, ...], Meta(max_length=32)] = ()
    ports: Annotated[tuple[Interface, ...], Meta(max_length=32)] = ()
    pods: Annotated[tuple[Address, ...], Meta(max_length=32)] = ()


class Leases(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The addresses that ``host-local`` holds for containers: a file each, by its address, in ``folder``.

    ``free``: those of containers that no longer exist, and ``more`` such; ``held``: how many others.
    ``at``: when that was looked at, in seconds since 1970 by the node's clock.
    """

    folder: Name
    free: Annotated[tuple[Address, ...], Meta(max_length=256)] = ()
    more: Small = 0
    held: Small = 0
    at: _Seconds = 0


class PodFailure(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``cause``: what kept the pod from being made.

    ``no-network`` (no CNI file names one), ``no-program`` (the ``plugin`` that the ``file`` names is where
    the runtime does not look, or nowhere), ``not-run`` (the kernel would not run it), ``no-address`` (it gave
    the pod no IPv4 address); or it ended with an error: ``bridge`` (the bridge has another address),
    ``addresses`` (none is left), ``version`` (it does not know the ``version`` of the file; all plugins of
    the file know the ``versions``), ``refused`` (another one). ``said``: its own words, or the kernel's.
    ``bridge`` and ``leases`` are ``None`` where they could not be looked at, or make no sense.
    """

    cause: Literal[
        "no-network", "no-program", "not-run", "no-address", "bridge", "addresses", "version", "refused"
    ]
    file: Name = ""
    plugin: Name = ""
    said: Text = ""
    bridge: OldBridge | None = None
    leases: Leases | None = None
    version: Name = ""
    versions: Annotated[tuple[_Version, ...], Meta(max_length=32)] = ()
