"""A certificate as a page to print, in Chinese with English beside it."""

from collections.abc import Sequence
from html import escape
from typing import Any

from gateway.city.erasing.certificate import Certificate, digest

_DIGEST = 60
"""What is longer is a digest, and may be broken anywhere."""
_STYLE = """
body{font:11pt/1.5 "Noto Sans CJK SC","Microsoft YaHei",sans-serif;color:#111;margin:2rem auto;
max-width:48rem;padding:0 1rem}h1{font-size:18pt;text-align:center}h2{font-size:12pt}
table{border-collapse:collapse;width:100%}th,td{border:1px solid #888;padding:.2rem .5rem;
text-align:left;vertical-align:top}td.n{text-align:right}code{word-break:break-all;font-size:8.5pt}
small{color:#444}@page{size:A4;margin:18mm}@media print{body{margin:0;max-width:none}
tr{break-inside:avoid}}
"""


def page(certificate: Certificate) -> str:
    """The certificate as HTML that needs nothing else.

    Args:
        certificate: signed.
    """
    chains = certificate["chains"]
    roots = [
        (f"{name} · {when}", _chain(chains[when][name]))
        for name in chains["before"]
        for when in ("before", "after")
    ]
    kept = "".join(f"<li>{_words(one)}</li>" for one in certificate["kept"])
    seal = (
        ("SHA-256", digest(certificate)),
        ("Ed25519", certificate["signature"]),
        ("公钥 Public key", certificate["public_key"]),
    )
    title = "数据擦除证书"
    return (
        f'<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<main><h1>{title}<br><small>Certificate of erasure</small></h1>{_facts(_of(certificate))}"
        f"<h2>采集数据 Collected values</h2>{_counts(certificate['values'])}"
        f"<p>{_words(certificate['store'])}</p><p>{_words(certificate['late'])}</p>"
        f"<p>{_words(certificate['beside'])}</p>"
        f"<h2>数据库 Database</h2>{_counts(certificate['rows'])}"
        f"<h2>保留的内容 What is kept, and why</h2><ul>{kept}</ul>"
        f"<h2>备份 Backups</h2><p>{_words(certificate['backups'])}</p>"
        f"<h2>链 Chains</h2>{_facts(roots)}"
        f"<h2>签名 Signature</h2>{_facts(seal)}"
        "<p><small>qulink city erase verify</small></p></main></body></html>\n"
    )


def _of(certificate: Certificate) -> Sequence[tuple[str, str]]:
    """What was erased, why and by whom."""
    of = certificate["enterprise"]
    return (
        ("证书编号 Certificate", str(certificate["number"])),
        ("城市 City", f"{certificate['city']['name']} {certificate['city']['region']}"),
        ("企业 Enterprise", f"{of['name']} {of['uscc']}"),
        ("原因 Reason", certificate["reason"]),
        ("依据 Document", certificate["document"]),
        ("执行人 By", certificate["made_by"]),
        ("开始 Begun", certificate["begun"]),
        ("完成 Finished", certificate["finished"]),
        ("网关 Gateways", ", ".join(certificate["gateways"]) or "—"),
        ("用户 Users", str(certificate["users"])),
        ("注销标识 Identifiers withdrawn", str(certificate["identifiers_withdrawn"])),
    )


def _facts(facts: Any) -> str:
    lines = (
        f'<tr><th scope="row">{escape(name)}</th><td><code>{escape(text)}</code></td></tr>'
        if len(text) > _DIGEST
        else f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>'
        for name, text in facts
    )
    return f"<table>{''.join(lines)}</table>"


def _counts(counts: Any) -> str:
    head = (
        '<tr><th scope="col">内容</th><th scope="col">擦除前 before</th>'
        '<th scope="col">擦除后 after</th></tr>'
    )
    lines = (
        f'<tr><th scope="row">{escape(name)}</th><td class="n">{one["before"]:,}</td>'
        f'<td class="n">{one["after"]:,}</td></tr>'
        for name, one in counts.items()
    )
    return f"<table>{head}{''.join(lines)}</table>"


def _words(words: Any) -> str:
    return f"{escape(words['zh'])}<br><small>{escape(words['en'])}</small>"


def _chain(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "—"
    return "—" if value is None else str(value)
