"""Markdown of a text component → HTML that can only be text: no raw HTML, no images, links to known places only.

markdown-it-py (CommonMark with tables) does the work; what it must not let through is switched off here.
"""

import re
from functools import lru_cache

from markdown_it import MarkdownIt

_LINK = re.compile(r"(?:https?://|mailto:|tel:|/(?!/)|#)", re.IGNORECASE)
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>&~:])")
# Pages have the first two levels. Authors pick levels by size, so all of theirs become the third: no level is ever left out.
_HEADINGS = {f"h{level}": "h3" for level in range(1, 7)}


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable(["image", "html_block", "html_inline"])
    parser.validateLink = lambda address: bool(_LINK.match(address))
    parser.add_render_rule("link_open", _link)
    parser.core.ruler.push("page", _fit)
    return parser


def _link(renderer, tokens, index, options, environment):
    tokens[index].attrSet("rel", "noopener noreferrer")
    return renderer.renderToken(tokens, index, options, environment)


def _fit(state) -> None:
    for token in state.tokens:
        token.tag = _HEADINGS.get(token.tag, token.tag)
        # Columns are aligned by a style attribute, which the content policy forbids.
        token.attrs.pop("style", None)


def to_html(text: str) -> str:
    """Safe HTML of `text`."""
    return _parser().render(text)


def escape(text: str) -> str:
    """`text` such that Markdown shows it as it is: for values that are filled into an author's text."""
    return _SPECIAL.sub(r"\\\1", text)
