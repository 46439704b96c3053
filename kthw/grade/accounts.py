"""The students' accounts, looked at by the teacher's role in each: what was seen becomes a hand-in of ours.

Nothing is written there, and nobody is logged in to: the role reads AWS. An account that cannot be looked at
costs its row, and is told as that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from kthw.grade.asked import Asked
from kthw.grade.hand_in import HandIn
from kthw.grade.naming import Submitter
from kthw.grade.roster import Student
from kthw.grade.side_by_side import Task
from kthw.intended.cluster import BadNames, Intended
from kthw.observed import recording
from kthw.target import REGION, Role, Target

_ROLE: Final = "kthw-verify"
"""What docs/grading.md calls the role that each student makes."""
_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/[\w+=,.@/-]{1,512}", re.ASCII)
_NAME: Final = re.compile(r"[\w+=,.@/-]{1,512}", re.ASCII)
_PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""By what its regions begin with; all others are ``aws``."""


def target(student: Student, no_packets: str) -> Target:
    """Where a student's lab is, and as whom. ``no_packets``: why none are sent. Raises ``BadNames``."""
    if student.region and not REGION.fullmatch(student.region):
        raise BadNames("grade-accounts-region", value=student.region)
    name = student.role or _ROLE
    if not _ARN.fullmatch(name) and not _NAME.fullmatch(name):
        raise BadNames("grade-accounts-role", value=student.role)
    if not _ARN.fullmatch(name):
        if not student.account:
            raise BadNames("grade-accounts-none", name=student.name)
        partition = next((p for sign, p in _PARTITIONS.items() if student.region.startswith(sign)), "aws")
        name = f"arn:{partition}:iam::{student.account}:role/{name.removeprefix('/')}"
    role = Role(arn=name, external_id=student.external_id)
    return Target(kind="aws", region=student.region, role=role, no_packets=no_packets)


def looked(
    students: Sequence[Student],
    asked: Asked,
    folder: Path,
    no_packets: str,
    progress: Callable[[str, int, int], None],
) -> list[Task]:
    """Look at the account of each; what was seen is a recording in ``folder``, to be judged as any other.

    Raises before anybody is looked at ``BadNames``, and ``CouldNotLook`` where the teacher's own credentials
    serve for nobody: no student's fault, it would cost each of them their points. ``progress``: whose turn it
    is, and of how many.
    """
    if not asked.workers:
        raise BadNames("grade-accounts-workers")
    targets = [target(student, no_packets) for student in students]
    # The AWS library is loaded only where it is used: who judges hand-ins never needs it.
    from kthw.observed.aws.reader import Reader
    from kthw.observed.gather import gather

    region = next((student.region for student in students if student.region), "")
    Reader(Target(kind="aws", region=region)).account()
    intended = Intended(workers=asked.workers, after=asked.after, network=asked.network)
    tasks: list[Task] = []
    for number, (student, where) in enumerate(zip(students, targets, strict=True)):
        progress(student.name, number + 1, len(students))
        of_role = _ARN.fullmatch(where.role.arn) if where.role else None
        account = student.account or (of_role[1] if of_role else "")
        evidence = gather(where, intended, expect_account=account)
        file = folder / f"{number:05d}.json"
        recording.write(evidence, file)
        handed = HandIn(file=str(file), name=file.name, of=student.name)
        tasks.append((number, handed, Submitter(student.name, f"@{student.name}")))
    return tasks
