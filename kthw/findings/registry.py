"""Every check, in the order of the path: what a failure may be caused by is asked before it."""

from __future__ import annotations

from typing import Final

from kthw.findings import (
    cleanup,
    cni_config,
    cni_network,
    forwarding,
    losses,
    needs,
    nodes,
    other_machines,
    plugins,
    reachability,
    routes,
    security,
    sizes,
    unmade_pods,
    way_in,
    workers,
)
from kthw.findings.check import Check, every_other_machine, the_lab
from kthw.findings.unread import INSTANCE, NAMES, ROUTES
from kthw.intended.tutorial import CLEANUP

_ONE: Final = (needs.ONE_INSTANCE,)
_OWN: Final = (needs.own_network, needs.ONE_INSTANCE)
_RANGE: Final = (*_OWN, needs.ONE_POD_CIDR)
_ROUTED: Final = (needs.vpc_routes, *_RANGE)
_PEERS: Final = (*needs.POD, needs.other_workers)

CHECKS: Final[tuple[Check, ...]] = (
    Check(
        name="workers-as-expected",
        area="workers",
        chapter="machines",
        judge=workers.as_many_as_expected,
        subjects=workers.the_first_of_expected,
    ),
    Check(
        name="one-running-instance",
        area="workers",
        chapter="machines",
        reads=NAMES,
        judge=workers.one_running_instance,
    ),
    Check(
        name="can-be-logged-in-to",
        area="workers",
        chapter="workers",
        needs=(needs.packets, needs.RUNNING, needs.login_tried),
        reads=ROUTES | {"security-group"},
        judge=way_in.can_be_logged_in_to,
    ),
    Check(
        name="pod-cidr-of-its-own",
        area="workers",
        chapter="machines",
        needs=_OWN,
        reads=INSTANCE | {"vpc"},
        judge=workers.valid_pod_cidr,
    ),
    Check(
        name="source-dest-check-off",
        area="workers",
        chapter="machines",
        needs=(*_ONE, needs.checked_interfaces),
        reads=ROUTES,
        judge=cni_network.source_dest_check_off,
    ),
    Check(
        name="route-to-worker",
        area="routes",
        chapter="routes",
        needs=(*_ROUTED, needs.not_assumed_from("route")),
        reads=ROUTES,
        judge=routes.route_to_worker,
    ),
    Check(
        name="route-active",
        area="routes",
        chapter="routes",
        needs=_ROUTED,
        reads=ROUTES,
        judge=routes.route_active,
    ),
    Check(
        name="route-undiverted",
        area="routes",
        chapter="routes",
        needs=_ROUTED,
        reads=ROUTES,
        judge=routes.route_undiverted,
    ),
    Check(
        name="no-leftovers",
        area="routes",
        chapter="routes",
        needs=_OWN,
        reads=ROUTES | {"vpc"},
        misled_by=NAMES,
        judge=routes.no_leftovers,
    ),
    Check(
        name="local-routes-intact",
        area="routes",
        chapter="machines",
        needs=_ONE,
        reads=ROUTES | {"vpc"},
        judge=routes.local_routes_intact,
    ),
    Check(
        name="internet-route",
        area="routes",
        chapter="machines",
        needs=_ONE,
        reads=ROUTES | {"internet-gateway"},
        judge=routes.internet_route,
    ),
    Check(
        name="security-groups-allow",
        area="security",
        chapter="machines",
        needs=_RANGE,
        reads=ROUTES | {"security-group"},
        judge=security.security_groups_allow,
    ),
    Check(
        name="network-acls-allow",
        area="security",
        chapter="machines",
        needs=_RANGE,
        reads=INSTANCE | {"network-acl"},
        judge=security.network_acls_allow,
    ),
    Check(
        name="forwarding-on",
        area="nodes",
        chapter="workers",
        needs=needs.NODE,
        judge=forwarding.forwarding_on,
    ),
    Check(
        name="firewall-lets-through",
        area="nodes",
        chapter="workers",
        needs=(needs.own_network, *needs.NODE, needs.firewall_seen, needs.PODS),
        judge=nodes.forward_not_dropped,
    ),
    Check(
        name="kernel-routes-right",
        area="nodes",
        chapter="workers",
        needs=(needs.own_network, *needs.NODE, needs.kernel_routes_seen, needs.CNI),
        judge=nodes.no_route_conflict,
    ),
    Check(
        name="other-machines-lead-to-pods",
        area="nodes",
        chapter="routes",
        subjects=every_other_machine,
        needs=(needs.node_routes, needs.packets, needs.seen_where_there),
        reads=NAMES,
        judge=other_machines.lead_to_pods,
    ),
    Check(
        name="cni-configured",
        area="nodes",
        chapter="workers",
        needs=needs.NODE,
        judge=nodes.cni_configured,
    ),
    Check(
        name="cni-plugins-installed",
        area="nodes",
        chapter="workers",
        needs=(*needs.NODE, needs.CNI),
        judge=plugins.plugins_installed,
    ),
    Check(
        name="cni-subnet-matches",
        area="nodes",
        chapter="workers",
        needs=(needs.own_network, *needs.NODE, *_RANGE, needs.CNI, needs.not_assumed_from("cni")),
        judge=nodes.cni_subnet_matches,
    ),
    Check(
        name="cni-file-complete",
        area="nodes",
        chapter="workers",
        needs=(needs.own_network, *needs.NODE, needs.CNI),
        judge=cni_config.gives_pods_all,
    ),
    Check(
        name="cni-makes-pods",
        area="nodes",
        chapter="workers",
        needs=(*needs.NODE, needs.CNI, needs.PLUGINS, needs.pod_tried),
        judge=unmade_pods.pods_can_be_made,
    ),
    Check(
        name="reaches-own-node",
        area="pods",
        chapter="workers",
        needs=(*needs.POD, needs.node_probed),
        judge=reachability.reaches_own_node,
    ),
    Check(
        name="reaches-internet",
        area="pods",
        chapter="workers",
        needs=(needs.own_network, *needs.POD, needs.internet_probed),
        misled_by=frozenset({"internet-gateway"}),
        judge=reachability.reaches_internet,
    ),
    Check(
        name="reaches-others",
        area="pods",
        chapter="routes",
        needs=(*_PEERS, needs.probed_all_others),
        judge=reachability.reaches_others,
    ),
    Check(
        name="is-reached-by-others",
        area="pods",
        chapter="routes",
        needs=(*_PEERS, needs.probed_by_all_others),
        judge=reachability.is_reached_by_others,
    ),
    Check(
        name="udp-between-pods",
        area="pods",
        chapter="routes",
        needs=(*_PEERS, needs.probed_all_others_by_udp),
        judge=reachability.reaches_others_by_udp,
    ),
    Check(
        name="full-size-between-pods",
        area="pods",
        chapter="routes",
        needs=(*_PEERS, needs.probed_all_others_at_full_size),
        judge=sizes.full_size_between,
    ),
    Check(
        name="no-packets-lost",
        area="pods",
        chapter="routes",
        needs=(*_PEERS, needs.counted_to_all_others),
        judge=losses.no_packets_lost,
    ),
    *(
        Check(
            name=f"no-{kind}-left",
            area="leftovers",
            chapter=CLEANUP,
            # Which of them are the lab's is known by what they are in and hang on.
            reads=frozenset([kind, "vpc", "subnet", "instance", *cleanup.HANGS_ON.get(kind, ())]),
            judge=cleanup.none_left(kind),
            subjects=the_lab,
        )
        for kind in cleanup.KINDS
    ),
)

BY_NAME: Final = {check.name: check for check in CHECKS}
AREAS: Final = tuple(dict.fromkeys(check.area for check in CHECKS))
"""In the order of the path."""
