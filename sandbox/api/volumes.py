"""Volumes: the disks that a launch makes."""

from __future__ import annotations

from typing import Any, Final

from sandbox.api.refusals import Refusal

_MOST_GIGABYTES: Final = 16_384


def disks(image: Any, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The block device mappings of a launch of ``image`` (moto's): the image's own, changed by what was
    asked for of the same devices, and what was asked for beside them. AWS keeps the root disk whatever is
    mapped, and a mapping with a disk has one (the tutorial's has an empty ``NoDevice`` beside its ``Ebs``).

    Raises ``Refusal`` for a disk that cannot be had.
    """
    own = {str(each["DeviceName"]): dict(each["Ebs"]) for each in image.block_device_mappings}
    found = {device: dict(disk) for device, disk in own.items()}
    for mapping in asked:
        device, disk = str(mapping.get("DeviceName") or ""), mapping.get("Ebs")
        if not device:
            raise Refusal("MissingParameter", "The request must contain the parameter deviceName")
        if disk is None:
            if "NoDevice" in mapping and device not in own:
                found.pop(device, None)
            continue
        found[device] = {**own.get(device, {}), **{key: value for key, value in disk.items() if value != ""}}
        _check(found[device], own.get(device, {}))
    return [{"DeviceName": device, "Ebs": disk} for device, disk in found.items()]


def _check(disk: dict[str, Any], own: dict[str, Any]) -> None:
    size = disk.get("VolumeSize")
    if size is None and not disk.get("SnapshotId"):
        raise Refusal("MissingParameter", "The request must contain the parameter size or snapshotId")
    if size is not None and not 0 < int(size) <= _MOST_GIGABYTES:
        raise Refusal(
            "InvalidParameterValue", f"Volume of {size}GiB is invalid; it is 1 to {_MOST_GIGABYTES}."
        )
    if own and int(size or 0) < int(own["VolumeSize"]):
        raise Refusal(
            "InvalidBlockDeviceMapping",
            f"Volume of size {size}GB is smaller than snapshot '{own['SnapshotId']}', "
            f"expect size >= {own['VolumeSize']}GB",
        )
