"""The OpenAPI description as a page people read: plain HTML of our own, so nothing is fetched from elsewhere."""

import html
import json
from typing import Any

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
code,pre{font:14px/1.4 ui-monospace,monospace;background:#f2f2f2;border-radius:4px}
code{padding:.1em .3em}pre{padding:.8rem;overflow:auto}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.3rem .6rem .3rem 0;
text-align:left;vertical-align:top}h2{margin-top:2.2rem}
@media (prefers-color-scheme:dark){body{color:#ddd;background:#181818}code,pre{background:#2a2a2a}
td,th{border-color:#444}a{color:#8bf}}
"""


def page(schema: dict[str, Any], root: str = "") -> str:
    """The page of an OpenAPI description.

    Args:
        root: the path the API is mounted under.
    """
    parts = schema.get("components", {}).get("schemas", {})
    operations = [
        _operation(root + path, method, operation, parts)
        for path, methods in schema["paths"].items() for method, operation in methods.items()
    ]  # fmt: skip
    title = html.escape(schema["info"]["title"])
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{title} API</title><style>{_STYLE}</style><h1>{title} API</h1>"
        f"<p>{_text(schema['info'].get('description', ''))}</p>"
        f"<p>The same for programs: <a href='{html.escape(root)}/openapi.json'>openapi.json</a>.</p>"
        f"{''.join(operations)}</html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any], parts: dict[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    shape = parts.get(body.get("$ref", "").rpartition("/")[2], {})
    about = html.escape(operation.get("summary", ""))
    return f"<h2><code>{method.upper()} {html.escape(path)}</code></h2><p>{about}</p>{_fields(shape, parts)}"


def _fields(shape: dict[str, Any], parts: dict[str, Any]) -> str:
    if not shape.get("properties"):
        return ""
    needed = set(shape.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{html.escape(name)}</code>{' (needed)' if name in needed else ''}</td>"
        f"<td><code>{html.escape(_kind(field, parts))}</code></td></tr>"
        for name, field in shape["properties"].items()
    )
    return f"<p>{_text(shape.get('description', ''))}</p><table><tr><th>field<th>type</tr>{rows}</table>"


def _kind(field: dict[str, Any], parts: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return "{" + ", ".join(parts.get(name, {}).get("properties", {})) + "}"
    if "anyOf" in field:
        return " or ".join(_kind(one, parts) for one in field["anyOf"] if one.get("type") != "null")
    if "enum" in field:
        return " | ".join(json.dumps(value) for value in field["enum"])
    if field.get("type") == "array":
        return f"[{_kind(field.get('items', {}), parts)}, …]"
    return str(field.get("type", "anything"))


def _text(text: str) -> str:
    escaped = html.escape(" ".join(text.split()))
    pieces = escaped.split("`")
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))
