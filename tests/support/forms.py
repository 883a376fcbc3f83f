"""A form with one of everything, and a small Flask application that shows it as task pages do."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, jsonify, render_template_string, request
from flask_babel import Babel

from engine.exceptions import InvalidForm
from engine.feel import to_plain
from engine.forms import compile_form
from webapp.inbox.form_html import parse
from webapp.security import POLICY

WEBAPP = Path(__file__).parents[2] / "webapp"
CHINA = timezone(timedelta(hours=8))
CLOCK = datetime(2026, 11, 24, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


def schema(*components, **root) -> dict:
    """A form-js form of `components`; those without an id get one from their key."""
    named = [{"id": c.get("id") or f"f_{c.get('key', c.get('path', index))}", **c} for index, c in enumerate(components)]
    return {"type": "default", "id": "form", "schemaVersion": 19, "components": named, **root}


def options(*values: str) -> list[dict]:
    """Static options whose labels are their values."""
    return [{"label": value, "value": value} for value in values]


def read(components, submitted, variables=None):
    """What a form of `components` (one, or a list) makes of `submitted`."""
    components = components if isinstance(components, list) else [components]
    return compile_form(schema(*components)).read(submitted, variables or {}, CLOCK)


def faults(components, submitted, variables=None) -> dict[str, str]:
    """Path → code of each error."""
    with pytest.raises(InvalidForm) as refusal:
        read(components, submitted, variables)
    return {path: getattr(message, "code", str(message)) for path, message in refusal.value.errors.items()}


def text(key="a", **more):
    """A text field."""
    return {"type": "textfield", "key": key, **more}


def number(key="n", **more):
    """A number field."""
    return {"type": "number", "key": key, **more}


def moment(subtype, key="d", **more):
    """A date or time field."""
    return {"type": "datetime", "key": key, "subtype": subtype, **more}


def goals(**more):
    """A list whose entries hold a required text and a number."""
    return {"type": "dynamiclist", "path": "goals", "components": [text("t", validate={"required": True}), number("w")], **more}


EVERYTHING = schema(
    {"type": "text", "text": "### 填写说明\n\n请如实填写 **{{clientName}}** 的情况，详见[手册](/handbook)。\n\n- 先核对姓名\n- 再逐项填写"},
    {
        "type": "group",
        "id": "person",
        "label": "服务对象",
        "components": [
            {"type": "textfield", "id": "name", "key": "clientName", "label": "姓名", "readonly": True},
            {
                "type": "textfield",
                "id": "phone",
                "key": "contact.phone",
                "label": "联系电话",
                "description": "本人或家属的电话。",
                "validate": {"required": True, "validationType": "phone"},
                "layout": {"row": "a", "columns": 8},
            },
            {
                "type": "datetime",
                "id": "birth",
                "key": "birthDate",
                "subtype": "date",
                "dateLabel": "出生日期",
                "validate": {"required": True},
                "layout": {"row": "a", "columns": 8},
            },
            {
                "type": "checklist",
                "id": "categories",
                "key": "categories",
                "label": "人员类别",
                "description": "可以多选。",
                "validate": {"required": True},
                "values": options("特困", "低保", "孤困", "留守", "失能", "失智", "复员军人", "残疾", "信访"),
            },
        ],
    },
    {
        "type": "group",
        "id": "situation",
        "label": "情况",
        "components": [
            {
                "type": "select",
                "id": "channel",
                "key": "channel",
                "label": "来源渠道",
                "validate": {"required": True},
                "values": options("走访", "12345", "APP"),
                "layout": {"row": "b", "columns": 8},
            },
            {
                "type": "textfield",
                "id": "externalNo",
                "key": "externalNo",
                "label": "工单号",
                "validate": {"required": True, "pattern": "^[0-9]{6,12}$", "patternErrorMessage": "工单号是 6 到 12 位数字。"},
                "conditional": {"hide": '=channel != "12345"'},
                "layout": {"row": "b", "columns": 8},
            },
            {
                "type": "radio",
                "id": "risk",
                "key": "risk",
                "label": "风险等级",
                "validate": {"required": True},
                "values": options("低", "中", "高", "紧急"),
            },
            {
                "type": "textarea",
                "id": "reason",
                "key": "reason",
                "label": "判断理由",
                "description": "写明看到的事实，不写推测。",
                "validate": {"required": True, "minLength": 5, "maxLength": 200},
                "conditional": {"hide": '=risk = null or risk = "低"'},
            },
            {
                "type": "number",
                "id": "score",
                "key": "score",
                "label": "自理评分",
                "decimalDigits": 1,
                "validate": {"required": True, "min": 0, "max": 10},
                "appearance": {"suffixAdorner": "分"},
                "layout": {"row": "c", "columns": 8},
            },
            {
                "type": "datetime",
                "id": "visitAt",
                "key": "visitAt",
                "subtype": "datetime",
                "dateLabel": "走访时间",
                "timeSerializingFormat": "utc_offset",
                "layout": {"row": "c", "columns": 8},
            },
        ],
    },
    {
        "type": "dynamiclist",
        "id": "goals",
        "path": "goals",
        "label": "目标",
        "properties": {"minItems": "1", "maxItems": "5"},
        "components": [
            {"type": "textfield", "id": "goal", "key": "text", "label": "目标内容", "validate": {"required": True}},
            {
                "type": "number",
                "id": "weight",
                "key": "weight",
                "label": "权重",
                "decimalDigits": 0,
                "validate": {"min": 1, "max": 5},
                "layout": {"row": "g", "columns": 8},
            },
            {
                "type": "datetime",
                "id": "due",
                "key": "due",
                "subtype": "date",
                "dateLabel": "完成日期",
                "disallowPassedDates": True,
                "layout": {"row": "g", "columns": 8},
            },
            {
                "type": "textfield",
                "id": "why",
                "key": "why",
                "label": "为什么最重要",
                "conditional": {"hide": "=this.weight != 5"},
            },
        ],
    },
    {"type": "expression", "id": "total", "key": "total", "label": "权重合计", "expression": "=sum(goals.weight)"},
    {"type": "separator", "id": "line"},
    {
        "type": "table",
        "id": "visits",
        "label": "以往走访",
        "dataSource": "=visits",
        "columns": [{"key": "on", "label": "日期"}, {"key": "by", "label": "走访人"}],
    },
    {
        "type": "taglist",
        "id": "helpers",
        "key": "helpers",
        "label": "协助人员",
        "valuesKey": "people",
    },
    {
        "type": "checkbox",
        "id": "consent",
        "key": "consent",
        "label": "本人已签知情同意书",
        "description": "纸质文件存档。",
        "validate": {"required": True},
    },
)

PAGE = """{% from "inbox/_form.html" import render_form with context %}<!doctype html>
<html lang="{{ 'zh-CN' if in_chinese() else 'en' }}"><head><meta charset="utf-8"><title>表单</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/site.css"><link rel="stylesheet" href="/static/form.css"></head>
<body><main id="main"><h1>预估</h1><div class="panel"><h2 class="visually-hidden">填写</h2>
<form method="post" class="stack" novalidate>{{ render_form(form, fields, context, errors) }}
<div class="row"><button class="button primary" id="send">提交</button></div></form></div></main>
<script src="/static/vendor/feelin.js" defer></script><script src="/static/form.js" defer></script></body></html>"""


def form_app(source: dict, variables: dict | None = None) -> Flask:
    """`/` shows the form of `source` and takes it: JSON of what was read, or the page again. `app.posted` keeps what came."""
    app = Flask("forms", template_folder=str(WEBAPP / "inbox/templates"), static_folder=str(WEBAPP / "static"))
    Babel(app, locale_selector=lambda: "en" if request.args.get("lang") == "en" else "zh_Hans_CN")
    app.jinja_env.globals["in_chinese"] = lambda: request.args.get("lang") != "en"
    app.config["TESTING"] = True
    app.json.ensure_ascii = False
    form = compile_form(source)
    variables = variables or {}
    app.posted = []

    def page(submitted=None, errors=None, status=200):
        fields = form.view(variables, submitted, errors, clock=CLOCK)
        return render_template_string(
            PAGE, form=form, fields=fields, context=form.context(variables), errors=errors or {}
        ), status

    @app.get("/")
    def show():
        return page()

    @app.post("/")
    def take():
        app.posted.append(request.form)
        submitted, again = parse(form, request.form, variables, CLOCK)
        if again:
            return page(submitted)
        try:
            return jsonify(to_plain(form.read(submitted, variables, CLOCK)))
        except InvalidForm as refusal:
            return page(submitted, refusal.errors, 422)

    @app.get("/favicon.ico")
    def icon():
        return "", 204

    @app.after_request
    def strict(response):
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app
