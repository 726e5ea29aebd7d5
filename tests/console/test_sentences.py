"""What code says in English is said in Chinese on Chinese pages, with the same facts."""

import re
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers import scaffold
from gateway.drivers.registry import Registry
from gateway.identifier.irp.codes import Rc
from gateway.identifier.native.walking import way
from gateway.web.catalog.sentences import FOLDER, Sentences, lines_of, parse, sentences_of
from tests.console.english import english
from tests.console.spoken import FACT, ROOT, sayings, texts_of

CATALOGUES = sorted(FOLDER.glob("*.toml"))
DRIVERS = {name: spec.sentences for name, spec in Registry().items() if spec.sentences}
FOREIGN = frozenset({"general.toml", "handles.toml"})
"""What operating systems say stands in no code of ours, nor do names of codes, which are made."""

SPEAKING = (
    "edge_config/loading/links.py",
    "edge_config/models/ledger_number.py",
    "edge_config/models/uscc.py",
    "edge_config/tables/cells.py",
    "edge_config/tables/csv_file.py",
    "edge_config/tables/merges.py",
    "edge_config/tables/reading.py",
    "edge_config/tables/sheet.py",
    "edge_config/tables/workbook.py",
    "edge_config/tables/xml_part.py",
    "gateway/city/identifiers/own.py",
    "gateway/city/ledger/agreements/agreement.py",
    "gateway/city/ledger/check.py",
    "gateway/city/ledger/history.py",
    "gateway/city/ledger/importer.py",
    "gateway/city/ledger/importing/terms.py",
    "gateway/city/ledger/importing/write.py",
    "gateway/city/ledger/papers/entering.py",
    "gateway/city/ledger/papers/sort.py",
    "gateway/city/ledger/rosters.py",
    "gateway/city/ledger/schedules/sort.py",
    "gateway/city/ledger/schedules/week.py",
    "gateway/city/ledger/sheet/amounts.py",
    "gateway/city/ledger/sheet/cells.py",
    "gateway/city/ledger/sheet/hidden.py",
    "gateway/city/ledger/sheet/no_record.py",
    "gateway/city/ledger/sheet/parsing.py",
    "gateway/city/ledger/sheet/problems.py",
    "gateway/city/ledger/sheet/values.py",
    "gateway/city/ledger/stops/sort.py",
    "gateway/city/rates/sampling/begun.py",
    "gateway/city/rates/sampling/design.py",
    "gateway/city/rates/sampling/drawing.py",
    "gateway/drivers/dlt645/codec.py",
    "gateway/drivers/dlt645/demand.py",
    "gateway/drivers/dlt645/diagnosis.py",
    "gateway/drivers/dlt645/driver.py",
    "gateway/drivers/dlt645/explain.py",
    "gateway/drivers/dlt645/line.py",
    "gateway/drivers/dlt645/link.py",
    "gateway/drivers/dlt645/plan.py",
    "gateway/drivers/mc/channel.py",
    "gateway/drivers/mc/codec.py",
    "gateway/drivers/mc/diagnosis.py",
    "gateway/drivers/mc/driver.py",
    "gateway/drivers/mc/ends.py",
    "gateway/drivers/mc/explaining.py",
    "gateway/drivers/mc/plan.py",
    "gateway/drivers/modbus/asking.py",
    "gateway/drivers/modbus/channel.py",
    "gateway/drivers/modbus/demand.py",
    "gateway/drivers/modbus/diagnosis/unit.py",
    "gateway/drivers/modbus/diagnosis/words.py",
    "gateway/drivers/modbus/driver.py",
    "gateway/drivers/modbus/framing/explaining.py",
    "gateway/drivers/modbus/framing/mbap.py",
    "gateway/drivers/modbus/framing/refusals.py",
    "gateway/drivers/modbus/link.py",
    "gateway/drivers/modbus/pauses.py",
    "gateway/drivers/modbus/plan.py",
    "gateway/drivers/modbus/pool.py",
    "gateway/drivers/modbus/reach/window.py",
    "gateway/drivers/modbus/types/dates.py",
    "gateway/drivers/modbus/search/detective.py",
    "gateway/drivers/modbus/types/numbers.py",
    "gateway/drivers/modbus/types/texts.py",
    "gateway/drivers/opcua/connecting/certificates.py",
    "gateway/drivers/opcua/connecting/client.py",
    "gateway/drivers/opcua/connecting/endpoints.py",
    "gateway/drivers/opcua/connecting/namespaces.py",
    "gateway/drivers/opcua/connecting/recording.py",
    "gateway/drivers/opcua/connecting/security.py",
    "gateway/drivers/opcua/connecting/session.py",
    "gateway/drivers/opcua/diagnosis.py",
    "gateway/drivers/opcua/driver.py",
    "gateway/drivers/opcua/faults.py",
    "gateway/drivers/opcua/findings.py",
    "gateway/drivers/opcua/subscribing/publishing.py",
    "gateway/drivers/opcua/subscribing/revised.py",
    "gateway/drivers/opcua/writing/element.py",
    "gateway/drivers/opcua/writing/variants.py",
    "gateway/drivers/opcua/writing/write.py",
    "gateway/drivers/s7/channel.py",
    "gateway/drivers/s7/codec.py",
    "gateway/drivers/s7/diagnosis.py",
    "gateway/drivers/s7/driver.py",
    "gateway/drivers/s7/explaining.py",
    "gateway/drivers/s7/plan.py",
    "gateway/drivers/s7/values.py",
    "gateway/drivers/toolkit/budget.py",
    "gateway/drivers/toolkit/numbers.py",
    "gateway/drivers/toolkit/transforms.py",
    "gateway/drivers/toolkit/written.py",
    "gateway/drivers/transport/present.py",
    "gateway/drivers/transport/serial_port.py",
    "gateway/drivers/transport/tls.py",
    "gateway/edge/commands/audit.py",
    "gateway/edge/commands/executor.py",
    "gateway/edge/commands/gate.py",
    "gateway/edge/commands/inverse.py",
    "gateway/edge/commands/known.py",
    "gateway/edge/commands/writer.py",
    "gateway/edge/device/asking/network.py",
    "gateway/edge/device/asking/requests.py",
    "gateway/edge/device/asking/testing.py",
    "gateway/edge/device/connection.py",
    "gateway/edge/device/standing/faults.py",
    "gateway/edge/detective/shown.py",
    "gateway/identifier/irp/bodies.py",
    "gateway/identifier/irp/data.py",
    "gateway/identifier/irp/datagrams.py",
    "gateway/identifier/irp/message.py",
    "gateway/identifier/irp/octets.py",
    "gateway/identifier/native/line.py",
    "gateway/identifier/native/peers.py",
    "gateway/identifier/native/walking/asking.py",
    "gateway/identifier/native/walking/exchange.py",
    "gateway/identifier/native/walking/pool.py",
    "gateway/identifier/native/walking/replies.py",
    "gateway/identifier/native/walking/walk.py",
    "gateway/identifier/native/walking/way.py",
    "gateway/identifier/node/rights/refusals.py",
    "gateway/identifier/registering/snms/login.py",
    "gateway/identifier/resolving/by_url.py",
    "gateway/identifier/resolving/did.py",
    "gateway/identifier/resolving/gs1.py",
    "gateway/identifier/resolving/handle_json.py",
    "gateway/identifier/resolving/native.py",
    "gateway/identifier/resolving/ors.py",
    "gateway/identifier/resolving/resolver.py",
    "gateway/identifier/resolving/web.py",
    "gateway/mqtt/client.py",
    "gateway/mqtt/faults.py",
)
"""Modules all of whose sentences may stand on a page."""
COMMAND_LINE = frozenset(
    {
        "not what was written",
        "only one driver can open a serial port",
        "7 is the port of 7 too: 7",
    }
)
"""What no page shows."""


@pytest.mark.parametrize("file", [*CATALOGUES, *DRIVERS.values()], ids=str)
def test_each_sentence_has_the_same_facts_in_both_languages(file: Path) -> None:
    for key, other in lines_of(file):
        facts = [field.name for field in parse(key, other).fields]
        named = [name for _, name, _, _ in Formatter().parse(other) if name is not None]
        assert sorted(facts) == sorted(named), key
        assert re.search(r"[\u4e00-\u9fff]", other) or not english(re.sub(r"{.*?}", "", key)), key


@pytest.mark.parametrize("file", [*CATALOGUES, *DRIVERS.values()], ids=str)
def test_each_sentence_is_one_that_the_code_says(file: Path) -> None:
    """Whoever changes a sentence is told of the catalogue."""
    if file.name in FOREIGN:
        return
    said = texts_of(ROOT / "gateway") + texts_of(ROOT / "edge_config")
    gone = [
        (key, piece)
        for key, _ in lines_of(file)
        for piece in (literal.strip(" :,;") for literal, *_ in Formatter().parse(key))
        if " " in piece and not _stands(piece, said)
    ]
    assert gone == []


def test_nothing_is_said_in_two_ways() -> None:
    """The catalogues of all drivers of a gateway are looked through together."""
    ways: dict[str, set[str]] = {}
    for file in (*CATALOGUES, *DRIVERS.values()):
        for key, other in lines_of(file):
            fields = parse(key, other).fields
            places = {one.name: f"<{at}>" for at, one in enumerate(fields)}
            english_ = "".join(f"{text}{{{of}}}" for text, _, of, _ in Formatter().parse(key))
            ways.setdefault(english_, set()).add(other.format(**places))
    assert [one for one in ways.items() if len(one[1]) > 1] == []


def _stands(piece: str, said: str) -> bool:
    """Whether code has a text, in one string or put together of two."""
    cuts = [at for at, one in enumerate(piece) if not one.isalnum()]
    return piece in said or any(piece[:at] in said and piece[at:] in said for at in cuts)


@pytest.mark.parametrize("module", SPEAKING)
def test_what_a_module_says_is_found(module: str) -> None:
    sentences = sentences_of(frozenset(one for one in DRIVERS.values() if one))
    lost = []
    for line, words in sayings(ROOT / module):
        whole = f"{FACT}{words}" if words.startswith(("; ", ", ")) else words.rstrip(" :,;")
        if whole not in COMMAND_LINE and english(sentences.other(whole)):
            lost.append(f"{module}:{line}: {words}")
    assert lost == []


def test_each_code_of_an_answer_about_a_handle_is_named() -> None:
    assert dict(lines_of(FOLDER / "handles.toml")).keys() == {way.words(code) for code in Rc}


def test_a_driver_of_somebody_else_brings_its_sentences(tmp_path: Path) -> None:
    """Of the package that ``qulink driver new`` writes; what all drivers say it need not repeat."""
    file = tmp_path / "sentences.toml"
    file.write_text(scaffold.rendered("acme")["qulink_acme/sentences.toml"], encoding="utf-8")
    said = "cannot write t (3:float) of counter 2 at plc:77: the counter answered '?'"
    here = "无法写入 t（3:float，计数器 2（plc:77））：计数器应答 '?'"
    assert sentences_of(frozenset({file})).other(said) == here
    assert "the counter answered '?'" in sentences_of().other(said)


def test_a_catalogue_that_cannot_be_used_leaves_its_driver_english(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number, text in enumerate(('"{a}{b} is" = "x"', '"a" = "x"\n"a" = "y"', "no toml")):
        (file := tmp_path / f"{number}.toml").write_text(text)
        sentences = sentences_of(frozenset({file}))
        assert sentences.other("3 is no number") == "3 不是数值"
        assert f"{file} cannot be used" in caplog.text


def test_facts_are_copied_and_sentences_within_sentences_are_said_too() -> None:
    sentences = Sentences(
        [
            ("cannot write {tag}: {why:said}", "无法写入 {tag}：{why}"),
            ("{value} is no number", "{value} 不是数值"),
            ("{what:part}: {why:said}", "{what}：{why}"),
            ("allow it by 'a: {{b}}'", "写 a: {{b}} 允许"),
        ]
    )
    assert sentences.other("cannot write t-1: 'x' is no number") == "无法写入 t-1：'x' 不是数值"
    assert sentences.other("cannot write t-1: nobody knows") == "无法写入 t-1：nobody knows"
    assert sentences.other("plant.yaml:3: 5 is no number") == "plant.yaml:3：5 不是数值"
    assert sentences.other("allow it by 'a: {b}'") == "写 a: {b} 允许"
    assert sentences.other("nobody: knows") == "nobody: knows"
    assert sentences.other("5; 6 is no number") == "5; 6 is no number"  # no fact holds a '; '


@pytest.mark.parametrize("key", ["{a}{b} is", "{} is", "{a} is {a}", "{a:number} is", "a { b"])
def test_a_key_that_cannot_be_found_again_is_refused(key: str) -> None:
    with pytest.raises(ValueError):
        parse(key, "")


WORD = st.text(st.characters(codec="utf-8", exclude_characters="{};:"), min_size=1, max_size=8)


@given(st.lists(WORD, min_size=2, max_size=4), st.data())
def test_facts_of_a_sentence_are_those_it_was_made_of(
    fixed: list[str], data: st.DataObject
) -> None:
    """Wherever a text is cut, it is cut so that the sentence says the same text."""
    names = [f"f{at}" for at in range(len(fixed) - 1)]
    key = "".join(f"{words}{{{name}}}" for words, name in zip(fixed, names, strict=False))
    facts = {name: data.draw(WORD) for name in names}
    words = key.format(**facts)
    found = parse(key, "").facts(words)
    assert found is not None
    assert key.format(**found) == words


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(["7 is no number", "x", ": ", "; "])).map("".join)
)
def test_any_text_can_be_asked_for(words: str) -> None:
    assert isinstance(sentences_of().other(words), str)


def test_what_devices_say_at_length_is_left_alone() -> None:
    endless = "; ".join(["7 is no number"] * 10_000)
    assert sentences_of().other(endless) is endless
    many = "; ".join(["7 is no number"] * 200)
    assert sentences_of().other(many).count("7") == 200
