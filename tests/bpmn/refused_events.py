"""name → (file, code, element) of what is refused: events, work for programs, calls, many instances."""

from tests.bpmn.snippets import (
    CALL,
    DEF,
    FLOW,
    LETTER,
    LOOP,
    MISPLACED,
    NEVER,
    USER,
    beside,
    boundary,
    defined,
    event,
    ext,
    file,
    many,
    node,
    race,
    service,
    sub,
    timer,
    watcher,
)

REFUSED = {
    # events
    **{f"{event} start": (beside("startEvent", DEF.format(event)), "unsupported_event", "x") for event in NEVER},
    **{f"{event} end": (beside("endEvent", DEF.format(event)), "unsupported_event", "x") for event in NEVER},
    **{f"{event} boundary": (file(more=boundary(DEF.format(event))), "unsupported_event", "b") for event in NEVER},
    **{
        f"{word} in {tag}": (file(node(tag, DEF.format(word))), "misplaced_event", "u")
        for tag, words in MISPLACED.items()
        for word in words
    },
    "event by reference": (
        file(node("intermediateCatchEvent", "<bpmn:eventDefinitionRef>t</bpmn:eventDefinitionRef>")),
        "unsupported_event",
        "u",
    ),
    "event definition of the file": (file(before='<bpmn:messageEventDefinition id="v"/>'), "misplaced_element", "v"),
    **{
        f"{word} of nothing": (file(node("intermediateThrowEvent", DEF.format(word))), "no_definition", "u")
        for word in ("message", "signal", "escalation")
    },
    **{
        f"{word} of another": (file(node("intermediateThrowEvent", event(word, "v"))), "dangling_reference", "u")
        for word in ("message", "signal", "escalation")
    },
    "error of nothing": (beside("endEvent", DEF.format("error")), "no_definition", "x"),
    "error as a signal": (file(node("intermediateThrowEvent", event("signal")), before=defined("error")), "dangling_reference", "u"),
    **{
        f"{word} without a name": (beside("endEvent", event(word), defined(word, "")), "no_name", "x")
        for word in ("message", "signal", "error", "escalation")
    },
    "message without a key": (file(node("intermediateCatchEvent", event("message")), before=defined("message")), "no_correlation_key", "u"),
    "task without a key": (file(node("receiveTask", "", 'messageRef="d"'), before=defined("message")), "no_correlation_key", "u"),
    "border without a key": (file(more=boundary(event("message")), before=defined("message")), "no_correlation_key", "b"),
    "watcher without a key": (watcher(event("message"), before=defined("message")), "no_correlation_key", "s"),
    "fixed key": (
        file(node("intermediateCatchEvent", event("message")), before=LETTER.replace('"=k"', '"k"')),
        "not_an_expression",
        "u",
    ),
    "key that is no FEEL": (
        file(node("intermediateCatchEvent", event("message")), before=LETTER.replace('"=k"', '"=("')),
        "feel_syntax",
        "u",
    ),
    "computed name of a start": (beside("startEvent", event("message"), defined("message", "=a + b")), "must_be_fixed", "x"),
    "computed signal of a start": (beside("startEvent", event("signal"), defined("signal", "=a")), "must_be_fixed", "x"),
    "computed code that is caught": (watcher(event("error"), before=defined("error", "=a")), "must_be_fixed", "s"),
    "lifetime that is none": (
        file(
            node(
                "sendTask", ext('<zeebe:properties><zeebe:property name="timeToLive" value="1 hour"/></zeebe:properties>'), 'messageRef="d"'
            ),
            before=defined("message"),
        ),
        "bad_lifetime",
        "u",
    ),
    "conditional without condition": (file(node("intermediateCatchEvent", DEF.format("conditional"))), "no_event_condition", "u"),
    "condition of an event without =": (
        file(
            node(
                "intermediateCatchEvent",
                "<bpmn:conditionalEventDefinition><bpmn:condition>x</bpmn:condition></bpmn:conditionalEventDefinition>",
            )
        ),
        "not_an_expression",
        "u",
    ),
    "filter of a condition": (
        file(
            node(
                "intermediateCatchEvent",
                "<bpmn:conditionalEventDefinition>"
                + ext('<zeebe:conditionalFilter variableNames="x"/>')
                + "<bpmn:condition>=x</bpmn:condition></bpmn:conditionalEventDefinition>",
            )
        ),
        "unsupported_extension",
        "u",
    ),
    "link without a name": (file(node("intermediateThrowEvent", DEF.format("link"))), "no_link_name", "u"),
    "link to nothing": (file(node("intermediateThrowEvent", '<bpmn:linkEventDefinition name="A"/>')), "link_to_nothing", "u"),
    "link out of the diagram": (file(node("intermediateCatchEvent", '<bpmn:linkEventDefinition name="A"/>')), "flow_of_link", "u"),
    "catching link that nothing leads to": (
        file(
            more='<bpmn:intermediateCatchEvent id="l"><bpmn:linkEventDefinition name="A"/></bpmn:intermediateCatchEvent>'
            + FLOW.format("f3", "l", "end", "/>")
        ),
        "unreachable",
        "l",
    ),
    "two catching links": (
        file(
            more="".join(
                f'<bpmn:intermediateCatchEvent id="l{n}"><bpmn:linkEventDefinition name="A"/></bpmn:intermediateCatchEvent>'
                + FLOW.format(f"f{n}", f"l{n}", "end", "/>")
                for n in (3, 4)
            )
        ),
        "link_twice",
        "l4",
    ),
    "old timer start in a subprocess": (
        sub(f'<bpmn:startEvent id="s">{event("signal")}</bpmn:startEvent><bpmn:endEvent id="e"/>' + FLOW.format("f3", "s", "e", "/>")),
        "bad_start",
        "s",
    ),
    **{
        f"process begins with {word}": (
            beside("startEvent", definition, defined(word) if word != "conditional" else ""),
            "bad_process_start",
            "x",
        )
        for word, definition in (
            ("error", event("error")),
            ("escalation", event("escalation")),
            ("conditional", "<bpmn:conditionalEventDefinition><bpmn:condition>=x</bpmn:condition></bpmn:conditionalEventDefinition>"),
        )
    },
    "start that does not interrupt": (
        beside("startEvent", timer("R/P1D", "Cycle"), attributes='isInterrupting="false"'),
        "idle_interrupting",
        "x",
    ),
    "event subprocess without trigger": (watcher(""), "bad_watcher_start", "s"),
    "event subprocess without start": (file(more='<bpmn:subProcess id="w" triggeredByEvent="true"/>'), "no_start", "w"),
    "event subprocess with two starts": (
        watcher(timer("PT1H"), more=f'<bpmn:startEvent id="s2">{timer("PT1H")}</bpmn:startEvent>' + FLOW.format("f7", "s2", "e", "/>")),
        "several_starts",
        "s2",
    ),
    "event subprocess that flows": (
        watcher(timer("PT1H")).replace(b"</bpmn:process>", (FLOW.format("f7", "u", "w", "/>") + "</bpmn:process>").encode()),
        "flow_of_event_subprocess",
        "w",
    ),
    "event subprocess that repeats": (watcher(timer("PT1H"), more=LOOP.format(' loopMaximum="2"', "")), "event_subprocess_repeats", "w"),
    "border of an event subprocess": (
        watcher(timer("PT1H")).replace(b"</bpmn:process>", (boundary(timer("PT1H"), 'attachedToRef="w"') + "</bpmn:process>").encode()),
        "bad_host",
        "b",
    ),
    "error that does not interrupt": (watcher(DEF.format("error"), start_attributes='isInterrupting="false"'), "error_interrupts", "s"),
    "error on a border that does not interrupt": (
        file(
            node("serviceTask", ext('<zeebe:taskDefinition type="x"/>')),
            boundary(DEF.format("error"), 'attachedToRef="u" cancelActivity="false"'),
        ),
        "error_interrupts",
        "b",
    ),
    "error of a user task": (file(more=boundary(DEF.format("error"))), "error_never_thrown", "b"),
    "error of a script": (
        file(node("scriptTask", ext('<zeebe:script expression="=1" resultVariable="r"/>')), boundary(DEF.format("error"))),
        "error_never_thrown",
        "b",
    ),
    "escalation of a user task": (file(more=boundary(DEF.format("escalation"))), "escalation_never_thrown", "b"),
    "same code twice": (
        file(
            node("callActivity", ext(CALL.format(""))), boundary(event("error")) + boundary(event("error"), identity="b2"), defined("error")
        ),
        "ambiguous_catch",
        "b2",
    ),
    "every code twice": (
        file(node("callActivity", ext(CALL.format(""))), boundary(DEF.format("error")) + boundary(DEF.format("error"), identity="b2")),
        "ambiguous_catch",
        "b2",
    ),
    "same message as the task": (
        file(node("receiveTask", "", 'messageRef="d"'), boundary(event("message")), LETTER),
        "ambiguous_catch",
        "b",
    ),
    "same message begins twice": (
        file(
            more="".join(
                f'<bpmn:startEvent id="s{n}">{event("message")}</bpmn:startEvent>' + FLOW.format(f"f{n}", f"s{n}", "u", "/>")
                for n in (3, 4)
            ),
            before=defined("message"),
        ),
        "ambiguous_catch",
        "s4",
    ),
    # event-based gateway
    "race of one": (file(node("eventBasedGateway")), "gateway_of_one", "u"),
    "race to a task": (race('<bpmn:task id="a"/>'), "bad_race", "a"),
    "race to a message with another way": (
        race(
            f'<bpmn:intermediateCatchEvent id="a">{event("message")}</bpmn:intermediateCatchEvent>', FLOW.format("f6", "start", "a", "/>")
        ),
        "bad_race",
        "a",
    ),
    "race to a task with a border": (
        race('<bpmn:receiveTask id="a" messageRef="d"/>', boundary(timer("PT1H"), 'attachedToRef="a"')),
        "bad_race",
        "a",
    ),
    "race that begins a process": (file(node("eventBasedGateway", "", 'instantiate="true"')), "unsupported_attribute", "u"),
    "race for all": (file(node("eventBasedGateway", "", 'eventGatewayType="Parallel"')), "unsupported_attribute", "u"),
    # work
    "service task without a job": (file(node("serviceTask")), "no_job", "u"),
    "job without a type": (service('<zeebe:taskDefinition type=""/>'), "no_job_type", "u"),
    "job that is tried never": (service('<zeebe:taskDefinition type="x" retries="0"/>'), "bad_retries", "u"),
    "header without a key": (
        service('<zeebe:taskDefinition type="x"/><zeebe:taskHeaders><zeebe:header value="1"/></zeebe:taskHeaders>'),
        "bad_header",
        "u",
    ),
    "header twice": (
        service('<zeebe:taskDefinition type="x"/><zeebe:taskHeaders><zeebe:header key="a"/><zeebe:header key="a"/></zeebe:taskHeaders>'),
        "bad_header",
        "u",
    ),
    "headers without a job": (
        file(
            node("sendTask", ext('<zeebe:taskHeaders><zeebe:header key="a"/></zeebe:taskHeaders>'), 'messageRef="d"'),
            before=defined("message"),
        ),
        "idle_headers",
        "u",
    ),
    "job of a signal": (
        file(node("intermediateThrowEvent", ext('<zeebe:taskDefinition type="x"/>') + event("signal")), before=defined("signal")),
        "idle_job",
        "u",
    ),
    "job of a plain end": (beside("endEvent", ext('<zeebe:taskDefinition type="x"/>')), "idle_job", "x"),
    "send task without a message": (file(node("sendTask")), "no_definition", "u"),
    "receive task without a message": (file(node("receiveTask")), "no_definition", "u"),
    "receive task that begins": (
        file(node("receiveTask", "", 'messageRef="d" instantiate="true"'), before=LETTER),
        "unsupported_attribute",
        "u",
    ),
    "operation": (service("", attributes='operationRef="o"'), "unsupported_attribute", "u"),
    "agent": (service('<zeebe:taskDefinition type="x"/><zeebe:agentDefinition agentType="y"/>'), "unsupported_extension", "u"),
    "call of nothing": (file(node("callActivity")), "no_called_process", "u"),
    "call of an empty name": (file(node("callActivity", ext('<zeebe:calledElement processId=" "/>'))), "no_called_process", "u"),
    "old form of a call": (file(node("callActivity", ext('<zeebe:calledElement processIdExpression="x"/>'))), "unsupported_extension", "u"),
    "BPMN's own call": (file(node("callActivity", "", 'calledElement="q"')), "unsupported_attribute", "u"),
    "call bound to a tag": (file(node("callActivity", ext(CALL.format('bindingType="versionTag"')))), "unsupported_extension", "u"),
    "call that gives maybe": (
        file(node("callActivity", ext(CALL.format('propagateAllChildVariables="maybe"')))),
        "unsupported_attribute",
        "u",
    ),
    # many instances
    "many without a collection": (many(""), "no_collection", "u"),
    "many with a fixed collection": (many('inputCollection="x"'), "not_an_expression", "u"),
    "many and a loop": (many('inputCollection="=x"', more=LOOP.format(' loopMaximum="2"', "")), "two_loops", "u"),
    "many with an item that is no name": (many('inputCollection="=x" inputElement="a b"'), "bad_variable", "u"),
    "many with the number of the round as item": (many('inputCollection="=x" inputElement="loopCounter"'), "reserved_name", "u"),
    "many with the number of the round as results": (
        many('inputCollection="=x" outputCollection="loopCounter" outputElement="=x"'),
        "reserved_name",
        "u",
    ),
    "many with half an output": (many('inputCollection="=x" outputCollection="r"'), "half_output", "u"),
    "many with the other half": (many('inputCollection="=x" outputElement="=r"'), "bad_variable", "u"),
    "many until a text": (
        many('inputCollection="=x"', "<bpmn:completionCondition>x</bpmn:completionCondition>"),
        "not_an_expression",
        "u",
    ),
    "many by number": (many('inputCollection="=x"', "<bpmn:loopCardinality>3</bpmn:loopCardinality>"), "unsupported_element", "u"),
    "many by BPMN's collection": (
        many('inputCollection="=x"', "<bpmn:loopDataInputRef>x</bpmn:loopDataInputRef>"),
        "unsupported_element",
        "u",
    ),
    "many that tell one by one": (many('inputCollection="=x"', attributes='behavior="One"'), "unsupported_attribute", "u"),
    "many in the wrong place": (file(USER.format('<zeebe:loopCharacteristics inputCollection="=x"/>', "")), "unsupported_extension", "u"),
    "event without trigger": (file(node("intermediateCatchEvent")), "no_event", "u"),
    "boundary without trigger": (file(more=boundary("")), "no_event", "b"),
    "two triggers": (file(node("intermediateCatchEvent", timer("PT1H") * 2)), "several_events", "u"),
}
