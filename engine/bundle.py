"""The files that are deployed together: a diagram with its forms and tables, or one regulation table with its
examples. Read, examined, compiled.

A diagram may hold several procedures, a pool each; every one becomes a definition of its own, and they share the files.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from engine import untrusted
from engine.assignment import FIRST, SKILLS
from engine.decisions import Decision, compile_decisions
from engine.exceptions import DeployRefused
from engine.findings import Finding, Findings, errors
from engine.forms import Form, compile_form
from engine.organisation import KINDS as KINDS_OF_UNITS, PARTNERS, ROLES, WORKFORCE
from engine.regulation_examples import SUFFIX as EXAMPLES, Example, read as read_examples
from engine.regulation_review import review
from engine.regulations import compile_regulation
from engine.workflow import Kind, Process, compile_processes, examine, unknown_names

MAX_FILES = 200
MAX_BYTES = 8 * 1024 * 1024
MAX_CELLS = 30_000  # of all tables together; a thousand take some 60 ms to compile
KINDS = {"bpmn": "diagram", "dmn": "table", "form": "form"}
# Variables that a case has from its start: engine.commands.instances knows the place and, of a client, what the register knows.
GIVEN = frozenset({"placeName", "clientName", "birthDate", "categories"})
_KEY = re.compile(r"[^\W\d][\w.-]{0,99}")  # as a process's id
GROUPS = frozenset({*ROLES, *WORKFORCE, *(f"partner:{kind}" for kind in PARTNERS)})  # those that Actor.groups can hold


@dataclass(frozen=True)
class Bundle:
    """Compiled files. A regulation has no processes. `key` is the id of the first process or of the regulation's main table.

    `remarks`: of tables what can be foreseen (engine.decisions.foreseeing), and of a regulation what its review finds
    (engine.regulation_review); a draft may have faults there, what is published not.
    """

    kind: str
    key: str
    name: str
    processes: tuple[Process, ...]
    forms: Mapping[str, Form]
    decisions: Mapping[str, Decision]
    remarks: tuple[Finding, ...] = ()

    def process(self, key: str) -> Process | None:
        """The process with this id; None in a regulation."""
        return next((process for process in self.processes if process.id == key), None)


def read_bundle(files: Mapping[str, bytes]) -> Bundle:
    """Compile the files that are deployed together. Raises DeployRefused with every finding of every file, or with why they are no bundle."""
    shape = _check_shape(files)
    if shape:  # thousands of files are not worth reading
        raise DeployRefused(shape)
    found, remarks = Findings(), Findings()
    processes: list[Process] = []
    forms: dict[str, Form] = {}
    decisions: dict[str, Decision] = {}
    for name, content in sorted(files.items()):
        try:
            if name.endswith(".bpmn"):
                processes += compile_processes(content)
            elif name.endswith(".dmn"):
                tables = compile_decisions(content)
                _merge(decisions, tables.decisions, name, found)
                remarks.extend(replace(finding, file=name) for finding in tables.findings)
            elif name.endswith(".form"):
                form = read_form(name, content)
                _merge(forms, {form.id: form}, name, found)
            if sum(map(_cells, decisions.values())) > MAX_CELLS:
                message = f"决策表的单元格合计超过 {MAX_CELLS} 个，请拆开部署", f"More than {MAX_CELLS} cells in all tables; deploy them apart"
                raise DeployRefused([Finding("too_large", *message)])
        except DeployRefused as refusal:
            found.extend(replace(finding, file=name) for finding in refusal.findings)
    for name in filter(_is_examples, files if processes else ()):
        found.append(Finding("file_unknown", "示例只属于制度表，不能和流程图一起部署", "Examples belong to a regulation, not to a diagram", file=name))
    if not errors(found):
        for process in processes:
            found.extend(_check_links(process, forms, decisions) + _check_people(process))
    if errors(found):
        raise DeployRefused(errors(found))
    if processes:
        first = processes[0]
        return Bundle("procedure", first.id, first.name or first.id, tuple(processes), forms, decisions, tuple(remarks))
    regulation = _regulation(files, decisions)
    return replace(regulation, remarks=(*remarks, *regulation.remarks))


def _regulation(files: Mapping[str, bytes], decisions: Mapping[str, Decision]) -> Bundle:
    tables, examples = [name for name in files if name.endswith(".dmn")], [name for name in files if _is_examples(name)]
    if len(tables) != 1 or len(examples) > 1 or len(files) != len(tables) + len(examples):
        message = (
            "没有流程图时，只能部署一个制度表文件，可以带一个示例文件",
            "Without a diagram, deploy exactly one regulation file and at most one file of examples",
        )
        raise DeployRefused([Finding("nothing_to_run", *message)])
    name = tables[0]
    regulation = compile_regulation(files[name], name)
    if not _KEY.fullmatch(regulation.key):
        message = ("制度表的编号应以字母开头，只含字母、数字和 . _ -，不超过 100 个字符", "The id of a regulation: letters, digits and . _ -, at most 100")
        raise DeployRefused([Finding("bad_id", *message, element=regulation.key, file=name)])
    shown = [example for each in examples for example in read_examples(files[each], each)]
    remarks = tuple(review(regulation, shown, name, examples[0] if examples else None))
    return Bundle("regulation", regulation.key, regulation.name or regulation.key, (), {}, decisions, remarks)


def examples_of(files: Mapping[str, bytes]) -> list[Example]:
    """The examples among the files of a regulation. Raises DeployRefused."""
    return [example for name, content in files.items() if _is_examples(name) for example in read_examples(content, name)]


def _is_examples(name: str) -> bool:
    return name.endswith(EXAMPLES)


def examine_files(files: Mapping[str, bytes]) -> list[Finding]:
    """Everything to say about files by name, remarks included, each by itself and a diagram with its forms; never raises on bad input."""
    found = [finding for name, content in sorted(files.items()) for finding in examine_file(name, content)]
    faulty = {finding.file for finding in errors(found)}
    sound = {name: content for name, content in sorted(files.items()) if name not in faulty}
    forms = {form.id: form for form in (read_form(name, content) for name, content in sound.items() if name.endswith(".form"))}
    for name, content in sound.items():
        if name.endswith(".bpmn"):
            for process in compile_processes(content):
                found += [replace(finding, file=name) for finding in _unwritten(process, forms)]
        if name.endswith(".dmn") and (beside := name.removesuffix(".dmn") + EXAMPLES) in sound:
            found += _reviewed(name, content, beside, sound[beside])
    return found


def _reviewed(name: str, content: bytes, examples_name: str, examples: bytes) -> list[Finding]:
    """What a regulation and the examples beside it say of each other."""
    try:
        return review(compile_regulation(content, name), read_examples(examples, examples_name), name, examples_name)
    except DeployRefused as refusal:
        return refusal.findings


def _unwritten(process: Process, forms: Mapping[str, Form]) -> list[Finding]:
    """Variables that a diagram reads and nothing writes. Nothing can be said where not all its forms are at hand."""
    if not process.form_ids <= forms.keys():
        return []
    return unknown_names(process, GIVEN.union(*(forms[form_id].keys for form_id in process.form_ids)))


def examine_file(name: str, content: bytes) -> list[Finding]:
    """Everything to say about one file by itself, remarks included; never raises on bad input."""
    try:
        if name.endswith(".bpmn"):
            return [replace(finding, file=name) for finding in examine(content)]
        if name.endswith(".dmn"):
            return [replace(finding, file=name) for finding in compile_decisions(content).findings]
        elif name.endswith(".form"):
            return [replace(finding, file=name) for finding in read_form(name, content).findings]
        elif _is_examples(name):
            read_examples(content, name)
        else:
            return _check_shape({name: content})
    except DeployRefused as refusal:
        return [replace(finding, file=name) for finding in refusal.findings]
    return []


def read_form(name: str, content: bytes) -> Form:
    """Compile a form file. Raises DeployRefused, also for what is no JSON object."""
    reason = "", ""
    try:
        schema = untrusted.read_json(content)
    except untrusted.Refused as refused:
        schema = None
        reason = refused.reason if refused.code == "not_json" else ("嵌套过深", "nested too deep")
    if not isinstance(schema, dict):
        message = "这个表单文件不是合格的 JSON 对象" + (f"：{reason[0]}" if reason[0] else "")
        raise DeployRefused([Finding("not_json", message, f"This form file is no proper JSON object. {reason[1]}".strip(), file=name)])
    return compile_form(schema)


def _check_shape(files: Mapping[str, bytes]) -> list[Finding]:
    found = []
    for name in files:
        suffix = name.rsplit(".", 1)[-1]
        if not (suffix in KINDS or _is_examples(name)) or "/" in name or "\\" in name or not name.isprintable() or len(name) > 200:
            found.append(
                Finding("file_unknown", f"不认识的文件“{name[:80]}”：只收 .bpmn、.dmn、.form、.examples.yaml", f"Unknown file {name[:80]}", file=name[:200])
            )
    diagrams = [name for name in files if name.endswith(".bpmn")]
    if len(diagrams) > 1:
        found.append(Finding("several_diagrams", "一次只部署一个流程图", "Deploy one diagram at a time", file=diagrams[1]))
    if not files:
        found.append(Finding("empty", "没有收到任何文件", "No file was received"))
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_BYTES:
        found.append(Finding("too_large", "文件太多或太大（上限 8 MB）", "Too many or too large files (8 MB at most)"))
    return found


def _cells(decision: Decision) -> int:
    return len(decision.rules) * (len(decision.inputs) + len(decision.outputs))


def _merge(known: dict, new: Mapping, name: str, found: list[Finding]) -> None:
    for key, value in new.items():
        if key in known:
            found.append(Finding("duplicate_id", f"编号“{key}”在两个文件里重复", f"Id {key} appears in two files", element=key, file=name))
        known[key] = value


def _check_links(process: Process, forms: Mapping, decisions: Mapping) -> list[Finding]:
    found = []
    for element in process.elements.values():
        for form in filter(None, (element.form_id, element.properties.get("document_form"))):
            if form not in forms:
                found.append(Finding("form_missing", f"找不到表单“{form}”", f"Form {form} is missing", element=element.id))
    for decision_id in process.decision_ids:
        if decision_id not in decisions:
            found.append(
                Finding("decision_missing", f"找不到决策表“{decision_id}”", f"Decision {decision_id} is missing", element=decision_id)
            )
    return found


def _check_people(process: Process) -> list[Finding]:
    """Words that say who may do a task and where: a misspelt one would leave it to nobody, or let in whom it should keep out."""
    found = []
    tasks = [element for element in process.elements.values() if element.kind is Kind.USER_TASK]
    tags = {tag for task in tasks for tag in _words(task.properties.get("tags"))}
    for lane in process.lanes:
        found += _unknown("workforce", lane.properties.get("workforce"), GROUPS, lane.id)
    for task in tasks:
        found += _unknown("exclude", task.properties.get("exclude"), tags, task.id)
        found += _unknown("place", task.properties.get("place"), KINDS_OF_UNITS, task.id)
        found += _unknown("skills", task.properties.get("skills"), SKILLS, task.id)
        found += _unknown("offer", task.properties.get("offer"), {FIRST}, task.id)
        assigned = task.assignment
        if assigned.candidate_groups and assigned.candidate_groups.expression is None:
            found += _unknown("candidateGroups", assigned.candidate_groups.text, GROUPS, task.id)
        lane = task.lane.properties if task.lane else {}
        if not (assigned.assignee or assigned.candidate_groups or assigned.candidate_users or _words(lane.get("workforce"))):
            message = ("没有写谁来办：请填候选组、候选人或办理人", "Nobody is named who may do this task: give it candidate groups")
            found.append(Finding("nobody", *message, element=task.id))
    return found


def _unknown(what: str, text: str | None, known: Collection[str], element: str) -> list[Finding]:
    message = "{what} 里的“{word}”不认识；可用的有：{known}", "Unknown word in {what}: {word}; known are {known}"
    return [
        Finding("unknown_word", *(part.format(what=what, word=word, known=", ".join(sorted(known))) for part in message), element=element)
        for word in _words(text)
        if word not in known
    ]


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]
