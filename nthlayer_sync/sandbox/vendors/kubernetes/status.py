"""How an API server refuses.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

from __future__ import annotations

from nthlayer_sync.sandbox.collection import Item
from nthlayer_sync.sandbox.tool import Reply

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
}


def refusal(code: int, message: str, reason: str = "", causes: list[Item] | None = None) -> Reply:
    """A Status."""
    body: Item = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    body |= {"reason": reason or _REASONS.get(code, ""), "code": code}
    return Reply(code, body | ({"details": {"causes": causes}} if causes else {}))


def taken(found: list[tuple[str, tuple[str, ...]]], api: str) -> Reply:
    """The refusal of an apply that others stand in the way of, in the server's words."""
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{manager}" using {api}',
            "field": "." + ".".join(path),
        }
        for manager, path in found
    ]
    if len(causes) == 1:
        text = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        lines = "\n".join(f"- {cause['field']}" for cause in causes)
        text = f'Apply failed with {len(causes)} conflicts: conflicts with "{found[0][0]}" using {api}:\n{lines}'
    return refusal(409, text, "Conflict", causes)
