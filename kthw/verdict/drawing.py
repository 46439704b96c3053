"""A drawing of the network: route tables, workers with their pods, and who reached whom.

Pure: from the evidence and the findings to inline SVG. Nothing is told by colour alone: what is well has
a dot or a whole line, what is not has a cross or a broken line. Up to a dozen workers are drawn; of more,
the matrix of pairs only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from kthw.findings.finding import Finding
from kthw.findings.judging import Verdict
from kthw.intended import tutorial
from kthw.network.model import Network
from kthw.network.node_routes import by_plugin
from kthw.observed.evidence import Instance, RouteTable
from kthw.verdict.marks import Marks
from kthw.verdict.matrix import dots, heat_map, legend
from kthw.verdict.node_routes_drawing import node_routes
from kthw.verdict.report import SYMPTOM
from kthw.verdict.routes_drawing import HEAD, ROW, TABLE_WIDTH, Row, height_of, rows_of, table_markup
from kthw.verdict.svg import badges, box, described, element, text, titled
from kthw.words.messages import Catalogue

MOST_DRAWN: Final = 12

_ELSEWHERE: Final = ("route-", "subnet-", "local-", "internet-", SYMPTOM)
_TABLE_X: Final = 36
_WORKER_X: Final = 590
_WORKER_WIDTH: Final = 272
_WORKER_HEIGHT: Final = 76
_WORKER_STEP: Final = 92
_SUBNET_GAP: Final = 34
_MATRIX_X: Final = 926
_TOP: Final = 160


def drawing(verdict: Verdict, words: Catalogue, marks: Marks | None = None) -> str:
    """Inline SVG, or nothing where AWS could not be looked at or no worker was to be found.

    ``marks``: the numbers of the causes, by which what is broken is marked and linked to where it is told.
    """
    network = verdict.network
    if network is None or not network.inventory.vpcs:
        return ""
    if len(network.workers) > MOST_DRAWN:
        return heat_map(verdict.evidence, words)
    return _Drawing(network, verdict.findings, words, marks or Marks()).svg()


class _Drawing:
    def __init__(self, network: Network, findings: Sequence[Finding], words: Catalogue, marks: Marks) -> None:
        self._network = network
        self._evidence = network.evidence
        self._findings = findings
        self._marks = marks
        self._say = words.say
        self._words = words
        self._workers = network.workers
        found = [self._network.instance(worker) for worker in self._workers]
        self._subnet_of = [instance.subnet if instance else "" for instance in found]
        self._tops = self._worker_tops()

    def svg(self) -> str:
        tables = self._tables()
        rows = {table.id: rows_of(self._network, table, self._findings) for table in tables}
        table_y, tables_bottom = self._places(tables, rows)
        bottom = max(self._tops[-1] + _WORKER_STEP, tables_bottom) + 24
        matrix = dots(
            self._evidence, [self._middle(n) for n in range(len(self._workers))], _MATRIX_X, _TOP, self._words
        )
        width = _MATRIX_X + matrix.width + 24
        foot = legend(self._words, _TABLE_X, bottom + 44)
        parts = [
            self._vpc(width if not matrix.markup else _MATRIX_X - 26, bottom),
            self._gateway(),
            *(self._subnets()),
            *(table_markup(self._say, t, rows[t.id], _TABLE_X, table_y[t.id]) for t in tables),
            *(line for t in tables for line in self._lines(t, rows[t.id], table_y[t.id])),
            node_routes(self._network, self._findings, self._middle, _WORKER_X, self._marks, self._words),
            *(self._worker(n, worker) for n, worker in enumerate(self._workers)),
            matrix.markup,
            foot,
        ]
        return element(
            "svg",
            described(self._say) + "".join(parts),
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {width:.0f} {bottom + 64:.0f}",
            role="group",
            aria_labelledby="kthw-drawing-title kthw-drawing-about",
        )

    def _tables(self) -> list[RouteTable]:
        """The tables in effect that were seen, in order of the workers."""
        return list({ruling.effective.id: ruling.effective for ruling in self._network.rulings}.values())

    def _places(
        self, tables: Sequence[RouteTable], rows: dict[str, list[Row]]
    ) -> tuple[dict[str, float], float]:
        heights = [height_of(rows[table.id]) + 24 for table in tables]
        spare = self._tops[-1] + _WORKER_STEP - _TOP - sum(heights)
        places, y = {}, _TOP + max(0.0, spare / 2)
        for table, height in zip(tables, heights, strict=True):
            places[table.id] = y
            y += height
        return places, y

    def _vpc(self, width: float, bottom: float) -> str:
        vpcs = self._network.inventory.vpcs
        said = "; ".join(" ".join(filter(None, (v.name, v.id, *v.cidrs))) for v in vpcs)
        return box(14, 84, width - 14, bottom - 84, "vpc", 14) + text(_TABLE_X, 134, f"VPC {said}", "label")

    def _gateway(self) -> str:
        used = {vpc.id for vpc in self._network.inventory.vpcs}
        attached = [g.id for g in self._network.inventory.internet_gateways if used & set(g.vpcs)]
        said = ", ".join(attached) or self._say("report-no-gateway")
        x, state = _TABLE_X + TABLE_WIDTH / 2, "good" if attached else "bad"
        return (
            text(x, 24, self._say("report-internet"), "strong", text_anchor="middle")
            + element("path", d=f"M{x} 32V58", class_=f"line {state}")
            + box(x - 120, 58, 240, 50, f"gateway {state}")
            + text(x, 79, self._say("report-gateway"), "strong", text_anchor="middle")
            + text(x, 97, said, "mono", text_anchor="middle")
        )

    def _subnets(self) -> list[str]:
        """A frame around each run of workers of one subnet."""
        names = {subnet.id: subnet for subnet in self._network.inventory.subnets}
        frames, start = [], 0
        ids = self._subnet_of
        for n in range(1, len(ids) + 1):
            if n < len(ids) and ids[n] == ids[start]:
                continue
            subnet = names.get(ids[start])
            if subnet:
                y = self._top(start) - 10
                height = self._top(n - 1) + _WORKER_HEIGHT - self._top(start) + 20
                frames.append(box(_WORKER_X - 12, y, _WORKER_WIDTH + 24, height, "subnet", 12))
                label = text(_WORKER_X - 8, y - 8, f"{self._say('report-subnet')} {subnet.cidr}", "label")
                frames.append(titled(label, " ".join(filter(None, (subnet.name, subnet.id)))))
            start = n
        return frames

    def _worker(self, n: int, worker: str) -> str:
        y, instance = self._top(n), self._network.instance(worker)
        # A route that is wrong is shown in its table, not on the worker it should lead to.
        mine = {f.code for f in self._findings if f.worker == worker}
        wrong = sorted(code for code in mine if not code.startswith(_ELSEWHERE))
        numbers = self._numbers(lambda f: f.worker == worker and not f.code.startswith(_ELSEWHERE))
        told_at = badges(numbers, _WORKER_X + _WORKER_WIDTH - 20, y + 38)
        state = "bad" if wrong else "unseen" if worker in self._marks.workers else "good"
        if instance is None:
            card = box(_WORKER_X, y, _WORKER_WIDTH, _WORKER_HEIGHT, "worker bad absent")
            said = text(_WORKER_X + 16, y + 52, f"✗ {self._say('report-absent')}")
            return card + text(_WORKER_X + 16, y + 28, worker, "strong") + said + told_at
        parts = [
            box(_WORKER_X, y, _WORKER_WIDTH, _WORKER_HEIGHT, f"worker {state}"),
            text(_WORKER_X + 16, y + 22, worker, "strong"),
            text(_WORKER_X + _WORKER_WIDTH - 12, y + 22, instance.address, "mono", text_anchor="end"),
            text(_WORKER_X + 16, y + 40, self._about(instance), "mono faint"),
            text(_WORKER_X + 16, y + 61, self._pods(worker), "mono pod"),
        ]
        right = _WORKER_X + _WORKER_WIDTH - 12
        unseen = self._marks.workers.get(worker)
        if unseen:
            said = text(right, y + 62, f"! {self._say('report-unseen')}", "unseen", text_anchor="end")
            parts.append(element("a", said, href=f"#unseen-{unseen}"))
        elif wrong:
            parts.append(text(right, y + 63, "✗", "cross", text_anchor="end"))
        told = (", ".join([worker, *wrong]), self._says(worker), self._say("report-unseen") if unseen else "")
        return titled("".join(parts), "; ".join(filter(None, told))) + told_at

    def _numbers(self, about: Callable[[Finding], bool]) -> list[int]:
        """Of the causes that it is about, as they are told."""
        known = self._marks.numbers
        return sorted(known[f.cause] for f in self._findings if f.cause in known and about(f))

    def _row_numbers(self, table: RouteTable, row: Row) -> list[int]:
        def about(f: Finding) -> bool:
            here = f.code.startswith(("route-", "local-", "internet-")) and f.table in (table.id, "")
            return here and row.destination in (f.destination or tutorial.EVERYWHERE)

        return self._numbers(about)

    def _says(self, worker: str) -> str:
        """What the node says it is called, and how large the packets of its interfaces may be."""
        node = self._evidence.nodes.get(worker)
        if node is None or not node.hostname:
            return ""
        links = ", ".join(f"{link.name} MTU {link.mtu}" for link in node.links if link.mtu)
        return self._say("report-node", hostname=node.hostname, links=links or "—")

    def _about(self, instance: Instance) -> str:
        return instance.id if instance.state == "running" else f"{instance.id} · {instance.state}"

    def _pods(self, worker: str) -> str:
        cidr = None if by_plugin(self._network) else self._network.pod_cidrs.get(worker)
        node = self._evidence.nodes.get(worker)
        said = self._say("report-pods", cidr=cidr or "—")
        return f"{said} · {node.pod}" if node and node.pod else said

    def _lines(self, table: RouteTable, rows: Sequence[Row], y: float) -> list[str]:
        """From each route to the worker it leads to; a route that leads nowhere ends in a cross."""
        lines, x = [], _TABLE_X + TABLE_WIDTH
        for n, row in enumerate(rows):
            start = y + HEAD + ROW * n + ROW / 2 - 4
            if row.leads_to in self._workers:
                end = self._middle(self._workers.index(row.leads_to))
                bend = (x + _WORKER_X) / 2
                path = f"M{x} {start}C{bend} {start} {bend} {end} {_WORKER_X - 6} {end}"
                state = "good" if row.good else "bad"
                lines.append(element("path", d=path, class_=f"line {state}"))
                if row.good:
                    tip = f"M{_WORKER_X - 12} {end - 5}L{_WORKER_X - 2} {end}L{_WORKER_X - 12} {end + 5}Z"
                    lines.append(element("path", d=tip, class_="tip"))
                else:
                    lines.append(text(_WORKER_X - 24, end + 5, "✗", "cross", text_anchor="middle"))
            elif not row.good:
                lines.append(element("path", d=f"M{x} {start}H{x + 34}", class_="line bad"))
                lines.append(text(x + 40, start + 5, "✗", "cross"))
            if not row.good:
                lines.append(badges(self._row_numbers(table, row), x + 17, start))
        return lines

    def _worker_tops(self) -> list[float]:
        """The upper edge of each worker, with room for a label where another subnet begins."""
        tops = [float(_TOP)]
        for n in range(1, len(self._workers)):
            other = self._subnet_of[n] != self._subnet_of[n - 1]
            tops.append(tops[-1] + _WORKER_STEP + (_SUBNET_GAP if other else 0))
        return tops

    def _top(self, n: int) -> float:
        return self._tops[n]

    def _middle(self, n: int) -> float:
        return self._top(n) + _WORKER_HEIGHT / 2
