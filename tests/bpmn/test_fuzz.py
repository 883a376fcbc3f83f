"""Whatever a file holds, an examination answers; and what it lets through can be started without an error."""

import re
from random import Random

import pytest
from hypothesis import given, settings, strategies as st
from lxml import etree

from engine.exceptions import DeployRefused
from engine.workflow import Case, compile_processes, examine
from engine.workflow.vocabulary import EXTENSIONS, WORDS
from tests.bpmn.harness import DIAGRAMS, NOW, Environment
from tests.bpmn.tangle import tangle

FILES = [path.read_bytes() for path in sorted(DIAGRAMS.glob("*.bpmn"))]
VALUES = ["", "=", "=1", "true", "end", "start", "u1", "=x.y", "R/PT1S", "-PT1H", '="a', "\u0000x", "9" * 30, "<x>", "{a}", "{0}", "parameters"]


@pytest.mark.soak
@given(st.binary(max_size=300))
def test_any_bytes(data):
    assert examine(data)


@pytest.mark.soak
@given(st.sampled_from(FILES), st.integers(0, 2**32))
def test_damaged_bytes(xml, seed):
    random = Random(seed)
    damaged = bytearray(xml)
    for _ in range(random.randint(1, 6)):
        damaged[random.randrange(len(damaged))] = random.randrange(256)
    examine(bytes(damaged))


@pytest.mark.soak
@settings(max_examples=300)
@given(st.sampled_from(FILES), st.integers(0, 2**32))
def test_damaged_trees(xml, seed):
    random = Random(seed)
    root = etree.fromstring(xml)
    for _ in range(random.randint(1, 5)):
        _damage(random, root)
    _examine_and_start(etree.tostring(root))


def _damage(random: Random, root) -> None:
    nodes = [node for node in root.iter(etree.Element) if node is not root]
    if not nodes:
        return
    node, other = random.choice(nodes), random.choice(nodes)
    match random.randrange(6):
        case 0:
            node.getparent().remove(node)
        case 1 if node.attrib:
            node.set(random.choice(list(node.attrib)), random.choice([*VALUES[:11], *VALUES[12:]]))
        case 2 if node.attrib:
            del node.attrib[random.choice(list(node.attrib))]
        case 3:
            namespace = etree.QName(node).namespace
            node.tag = f"{{{namespace}}}{random.choice([*WORDS, *EXTENSIONS])}"
        case 4 if node is not other and node not in other.iterancestors():
            other.append(node)
        case 5:
            node.text = random.choice([*VALUES[:11], *VALUES[12:]])


@pytest.mark.soak
@given(st.integers(0, 2**32))
def test_diagrams_that_are_let_through_start(seed):
    random = Random(seed)
    _examine_and_start(re.sub(rb"n[123] [<>+-]", lambda _: random.choice([b"n1 +", b"missing -", b"n2 &gt;"]), tangle(random, 6).xml()))


def _examine_and_start(xml: bytes) -> None:
    findings = examine(xml)
    assert all(finding.message and finding.message_en for finding in findings)
    if any(finding.severity == "error" for finding in findings):
        with pytest.raises(DeployRefused):
            compile_processes(xml)
        return
    env = Environment(now=NOW, visits=200)
    for process in compile_processes(xml):
        case = Case.start(process, {}, env)
        for _ in range(5):
            _go_on(case, env)


def _go_on(case: Case, env: Environment) -> None:
    """Whatever can happen, once."""
    for timer in case.timers()[:1]:
        case.fire(timer.id, env)
    for wait in case.waits()[:1]:
        case.complete(wait.token, {}, env)
    for subscription in case.subscriptions()[:1]:
        case.correlate(subscription.id, {"came": True}, env)
    for job in case.jobs()[:1]:
        case.complete_job(job.token, {"done": True}, env)
    for call in case.calls()[:1]:
        case.finish_call(call.token, {"back": True}, env)
    case.correct({"x": True}, env)
    assert Case.restore(case.process, case.state()).state() == case.state()
