"""Everything outside the engine's list is refused, with the element's id and the reason in two languages; nothing is ignored."""

import pytest

from engine.exceptions import DeployRefused
from engine.workflow import compile_process, compile_processes, examine
from engine.workflow.faults import FAULTS
from engine.workflow.refusals import REFUSED as WORDS
from tests.bpmn import refused_events, refused_graphs, refused_words
from tests.bpmn.builder import Diagram, Pools
from tests.bpmn.harness import DIAGRAMS
from tests.bpmn.snippets import CALL, FLOW, USER, boundary, ext, file, node, pools, script, timer, watcher

REFUSED = refused_words.REFUSED | refused_events.REFUSED | refused_graphs.REFUSED


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    xml, code, element = REFUSED[name]
    found = examine(xml)
    assert (code, element) in [(f.code, f.element) for f in found], [(f.code, f.element, f.message) for f in found]
    assert all(f.message and f.message_en for f in found)
    with pytest.raises(DeployRefused) as refusal:
        compile_process(xml)
    assert refusal.value.findings == [f for f in found if f.severity == "error"]


WARNED = {
    "no form": (file(node("userTask")), "no_form", "u"),
    "implicit end": (file(more='<bpmn:task id="t"/>' + FLOW.format("f3", "u", "t", "/>")), "implicit_end", "t"),
    "latest": (file(node("userTask", ext('<zeebe:formDefinition formId="f" bindingType="latest"/>'))), "binding", "u"),
    "unused message": (file(before='<bpmn:message id="m" name="来信"/>'), "unused_definition", "m"),
    "called process of the same deployment": (
        file(node("callActivity", ext(CALL.format('bindingType="deployment"')))),
        "call_binding",
        "u",
    ),
    "cycle of which one counts": (file(more=boundary(timer("R/PT1H", "Cycle"))), "cycle_once", "b"),
    "cycle in the flow": (file(node("intermediateCatchEvent", timer("R3/PT1H", "Cycle"))), "cycle_once", "u"),
    "cycle that interrupts": (watcher(timer("R/PT1H", "Cycle")), "cycle_once", "s"),
}


@pytest.mark.parametrize("name", WARNED)
def test_warned_but_run(name):
    xml, code, element = WARNED[name]
    assert [(f.code, f.element, f.severity) for f in examine(xml)] == [(code, element, "warning")]
    compile_process(xml)


def test_the_frame_itself_is_fine():
    assert examine(file()) == []


def test_an_expression_error_says_where():
    [finding] = examine(script("=1 +&#10;  if x"))
    assert finding.element == "u"
    assert (finding.line, finding.column) == (2, 7)


def test_several_faults_are_told_at_once():
    codes = {f.code for f in examine(file(node("transaction"), '<bpmn:task id="t"/>' + FLOW.format("f3", "x", "t", "/>")))}
    assert {"unsupported_element", "dangling_reference"} <= codes


def test_hostile_text_is_only_text():
    process = compile_process(file(USER.format("", "<bpmn:documentation>&lt;script&gt;alert(1)&lt;/script&gt;</bpmn:documentation>")))
    assert process.elements["u"].documentation == "<script>alert(1)</script>"


def test_every_fault_has_a_test():
    tested = {code for _, code, _ in [*REFUSED.values(), *WARNED.values()]}
    elsewhere = {"too_many_nodes", "feel_unsupported", "unknown_name", "cannot_end", "not_one_process"}
    assert FAULTS.keys() - tested == elsewhere


def test_no_entity_reaches_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("password")
    xml = file(USER.format("", "<bpmn:documentation>&x;</bpmn:documentation>")).decode()
    xml = xml.replace("?>\n", f'?>\n<!-- <a> --><!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]>\n', 1)
    found = examine(xml.encode())
    assert [f.code for f in found] == ["doctype"]


@pytest.mark.parametrize("path", sorted(DIAGRAMS.glob("*.bpmn")), ids=lambda path: path.stem)
def test_our_diagrams_have_no_fault(path):
    remarks = {"timer_catch": ["cycle_once"]}  # there to show that a catch event takes the first occurrence
    assert [finding.code for finding in examine(path.read_bytes())] == remarks.get(path.stem, [])


def test_no_case_is_lost_between_the_tables():
    parts = (refused_words.REFUSED, refused_events.REFUSED, refused_graphs.REFUSED)
    assert sum(map(len, parts)) == len(REFUSED)


def test_every_refused_word_says_what_to_do():
    for word, (names, instead) in WORDS.items():
        assert all(names) and all(instead), word
        assert names[1].isascii() and instead[1].isascii()


@pytest.mark.parametrize("punctuation", [",", ";", ":", "("])
def test_chinese_is_written_in_chinese(punctuation):
    """Half-width marks between Chinese characters are a slip."""
    chinese = [text for text, _ in FAULTS.values()] + [text for names, instead in WORDS.values() for text, _ in (names, instead)]
    wrong = [
        text for text in chinese for a, mark, b in zip(text, text[1:], text[2:], strict=False) if mark == punctuation and max(a, b) > "一"
    ]
    assert wrong == []


def test_several_processes_are_read_each():
    first, second = Diagram("first"), Diagram("second")
    for made in (first, second):
        made.add("startEvent", f"{made.id}_start")
        made.send(f"{made.id}_send", "news")
        made.add("endEvent", f"{made.id}_end")
        made.path(f"{made.id}_start", f"{made.id}_send", f"{made.id}_end")
    pools = Pools(first, second, black_boxes=["court"])
    pools.messages = [("first_send", "pool_second"), ("second_send", "court")]
    assert examine(pools.xml()) == []
    assert [process.id for process in compile_processes(pools.xml())] == ["first", "second"]
    assert "second_send" not in compile_processes(pools.xml())[0].elements
    with pytest.raises(DeployRefused) as refusal:
        compile_process(pools.xml())
    assert [finding.code for finding in refusal.value.findings] == ["not_one_process"]


def test_a_lane_of_one_pool_holds_nothing_of_another():
    xml = pools("").replace(b"</bpmn:process>", b"</bpmn:process><bpmn:process id='q' isExecutable='true'>OTHER</bpmn:process>")
    lane = "<bpmn:laneSet id='ls'><bpmn:lane id='l'><bpmn:flowNodeRef>u</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>"
    other = "<bpmn:startEvent id='s'/><bpmn:endEvent id='e'/>" + FLOW.format("g", "s", "e", "/>")
    found = examine(xml.replace(b"OTHER", (lane + other).encode()))
    assert [(finding.code, finding.element) for finding in found] == [("dangling_reference", "l")]
