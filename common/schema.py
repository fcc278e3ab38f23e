"""What the API's description says of refusals: every one is an RFC 9457 problem."""

from typing import Any

TEXT = {"type": "string"}
PROBLEM = {
    "type": "object",
    "description": "An RFC 9457 problem. `code` is stable; `detail` is for people.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": TEXT,
        "status": {"type": "integer"},
        "code": {"type": "string", "examples": ["not_found"]},
        "detail": TEXT,
        "errors": {
            "type": "array",
            "description": "With the code `invalid`: every field that was refused, and why.",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {"field": TEXT, "code": TEXT, "detail": TEXT},
            },
        },
    },
}
REFUSALS = {"4XX": "The request was refused.", "5XX": "It failed here; try again later."}


def add_problems(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Add the problems to every operation (a postprocessing hook of drf-spectacular)."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"] |= {
                status: {"description": description, "content": content}
                for status, description in REFUSALS.items()
            }
    return result
