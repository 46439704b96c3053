"""Public parameters of AWS Systems Manager: the ids of the images that there are here."""

from __future__ import annotations

import datetime
from typing import Any

from moto.ssm import models

from sandbox.api.refusals import Refusal
from sandbox.images import IMAGES


class Parameters(models.ParameterDict):
    """One account's parameters in one region, the public ones among them."""

    def __init__(self, account_id: str, region_name: str) -> None:
        super().__init__(account_id, region_name)
        self.latest_amis_loaded = self.latest_ecs_amis_loaded = True
        for image in IMAGES:
            made = datetime.datetime.strptime(image.date, "%Y%m%d").replace(tzinfo=datetime.UTC)
            for name in image.parameters:
                self[name].append(
                    models.Parameter(  # type: ignore[abstract] # as moto makes them
                        account_id="",  # AWS's own: the ARN has none
                        name=name,
                        value=image.id,
                        parameter_type="String",
                        description=None,
                        allowed_pattern=None,
                        keyid=None,
                        last_modified_date=made,
                        version=1,
                        data_type="aws:ec2:image",
                    )
                )


def resolved(account: Any, reference: str) -> str:
    """The image id that ``resolve:ssm:NAME[:VERSION]`` stands for, of public or own parameters.

    Raises ``Refusal`` (``InvalidParameterValue``) where there is no such parameter. [NV: code and text]
    """
    name = reference.removeprefix("resolve:ssm:")
    backend = models.ssm_backends[account.account_id][account.region_name]
    parameter = backend.get_parameter(name)
    if parameter is None:
        raise Refusal(
            "InvalidParameterValue",
            f"Invalid value '{reference}' for imageId. "
            f"The Systems Manager parameter '{name}' does not exist.",
        )
    return str(parameter.value)
