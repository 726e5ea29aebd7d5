"""Node ids: text form, namespaces by URI."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.opcua.nodes import NodeName, format_node, namespace_indexes, parse_node


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("i=2258", NodeName("", 2258)),
        ("ns=0;i=2258", NodeName("", 2258)),
        ("nsu=http://opcfoundation.org/UA/;i=2258", NodeName("", 2258)),
        ("nsu=http://acme/press;s=Press.Speed", NodeName("http://acme/press", "Press.Speed")),
        ('nsu=urn:plc;s="DB1"."a;b=c"', NodeName("urn:plc", '"DB1"."a;b=c"')),
        ("nsu=urn:a%3Bb%25;i=7", NodeName("urn:a;b%", 7)),
        ("nsu=u;s=车床.转速", NodeName("u", "车床.转速")),
        (
            "nsu=u;g=72962B91-FA75-4AE6-8D28-B404DC7DAF63",
            NodeName("u", UUID("72962b91-fa75-4ae6-8d28-b404dc7daf63")),
        ),
        ("nsu=u;b=AQID", NodeName("u", b"\x01\x02\x03")),
        ("ns=3;s=Speed", NodeName("", "Speed", 3)),
        ("svr=0;ns=2;s=two", NodeName("", "two", 2)),
    ],
)
def test_text_names_a_node(text: str, node: NodeName) -> None:
    assert parse_node(text) == node


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ns=2", "and ';' must follow 'ns='"),
        ("ns=x;i=1", "a number up to 65535 and ';' must follow 'ns='"),
        ("ns=65536;i=1", "a number up to 65535"),
        ("Speed", "is no node id"),
        ("nsu=http://acme", "a namespace URI and ';' must follow"),
        ("nsu=;s=Speed", "a namespace URI and ';' must follow"),
        ("nsu=u;x=1", "is no node id"),
        ("nsu=u;i=-1", "whole number from 0 to 4294967295"),
        ("nsu=u;i=4294967296", "whole number from 0 to 4294967295"),
        ("nsu=u;i=²", "whole number"),
        ("nsu=u;s=", "1 to 4096 characters"),
        ("nsu=u;g=123", "needs a GUID"),
        ("nsu=u;b=*", "needs base64"),
    ],
)
def test_what_is_no_node_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_node(text)


identifiers = st.one_of(
    st.integers(0, 2**32 - 1), st.text(min_size=1, max_size=50), st.uuids(), st.binary(max_size=20)
)


@given(st.text(max_size=30).filter(lambda uri: uri != "http://opcfoundation.org/UA/"), identifiers)
def test_format_is_the_inverse_of_parse(uri: str, identifier: int | str | UUID | bytes) -> None:
    node = NodeName(uri, identifier)
    assert parse_node(format_node(node)) == node


@given(st.integers(1, 65_535), identifiers)
def test_an_index_is_written_as_it_is_read(
    index: int, identifier: int | str | UUID | bytes
) -> None:
    node = NodeName("", identifier, index)
    assert parse_node(format_node(node)) == node
    assert namespace_indexes(node, ("http://opcfoundation.org/UA/",)) == (index,)


@pytest.mark.parametrize(
    ("namespaces", "indexes"),
    [
        (("http://opcfoundation.org/UA/", "urn:plc"), (1,)),
        (("http://opcfoundation.org/UA/", "urn:x", "urn:plc"), (2,)),
        (("http://opcfoundation.org/UA/",), ()),
        (("", "urn:plc", "", "urn:plc"), (1, 3)),
        (("", "urn:plc ", "urn:plc"), (2,)),
        (("", "\turn:plc "), (1,)),
    ],
)
def test_the_index_is_that_of_the_session(
    namespaces: tuple[str, ...], indexes: tuple[int, ...]
) -> None:
    assert namespace_indexes(parse_node("nsu=urn:plc;i=1"), namespaces) == indexes


def test_the_standards_namespace_is_always_the_first() -> None:
    assert namespace_indexes(parse_node("i=2258"), ()) == (0,)
