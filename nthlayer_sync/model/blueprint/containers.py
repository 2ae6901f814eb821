"""What the containers of a service may use of a Kubernetes cluster."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from nthlayer_sync.model.blueprint.section import Count, Section

_UNITS = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
}


def amount(quantity: str) -> Decimal:
    """What a quantity stands for: cores, or bytes."""
    number = quantity.rstrip("mKMGTi")
    return int(number) * _UNITS[quantity.removeprefix(number)]


def cpu_of(cores: Decimal) -> str:
    """So many cores, as the API server writes them: whole ones where it can."""
    thousandths = int(cores * 1000)
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def memory_of(bytes: Decimal) -> str:
    """So many bytes, likewise: in the largest unit that leaves no fraction."""
    unit = next((unit for unit in ("Ti", "Gi", "Mi", "Ki") if not bytes % _UNITS[unit]), "")
    return f"{int(bytes / _UNITS[unit])}{unit}"


def _cpu(value: str) -> str:
    return cpu_of(amount(value))


def _memory(value: str) -> str:
    return memory_of(amount(value))


Cpu = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}m?$", examples=["500m", "2"]), AfterValidator(_cpu)]
"""Cores, or thousandths of one with `m`.
https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#meaning-of-cpu"""
Memory = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}(Ki|Mi|Gi|Ti)$", examples=["256Mi"]), AfterValidator(_memory)]
"""Memory in units of 1024."""


class Containers(Section):
    """What each container asks for when it says nothing, and the most that all may use."""

    cpu: Cpu
    """CPU that a container asks for when it says nothing."""
    memory: Memory
    """Memory that it asks for when it says nothing."""
    memory_limit: Memory
    """Memory at which it is stopped when it says nothing."""
    most_cpu: Cpu
    """CPU that one copy of the service may ask for."""
    most_memory: Memory
    """Memory that one container may use, and one copy of the service may ask for."""
    spare: Count
    """Copies that the quota admits beside those of autoscaling and of a deployment: jobs, migrations."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not amount(self.memory) <= amount(self.memory_limit) <= amount(self.most_memory):
            raise ValueError("memory, memory_limit and most_memory must not fall, in this order")
        if amount(self.cpu) > amount(self.most_cpu):
            raise ValueError(f"cpu ({self.cpu}) is more than most_cpu ({self.most_cpu})")
        return self
