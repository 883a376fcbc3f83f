"""Markdown of a text component → HTML that can only be text: no raw HTML, no images, links to known places only.

markdown-it-py (CommonMark with tables) does the work; what it must not let through is switched off here.
"""

import re
from functools import lru_cache

from markdown_it import MarkdownIt

_LINK = re.compile(r"(?:https?://|mailto:|tel:|/(?!/)|#)", re.IGNORECASE)
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>&~:])")
# A page has its own first headings; a text's begin below them, so that the order of levels holds.
_DEEPER = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6"}


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable(["image", "html_block", "html_inline"])
    parser.validateLink = lambda address: bool(_LINK.match(address))
    parser.add_render_rule("link_open", _link)
    parser.core.ruler.push("deeper", _headings)
    return parser


def _link(renderer, tokens, index, options, environment):
    tokens[index].attrSet("rel", "noopener noreferrer")
    return renderer.renderToken(tokens, index, options, environment)


def _headings(state) -> None:
    for token in state.tokens:
        token.tag = _DEEPER.get(token.tag, token.tag)
        # Columns are aligned by a style attribute, which the content policy forbids.
        token.attrs.pop("style", None)


def to_html(text: str) -> str:
    """Safe HTML of `text`."""
    return _parser().render(text)


def escape(text: str) -> str:
    """`text` such that Markdown shows it as it is: for values that are filled into an author's text."""
    return _SPECIAL.sub(r"\\\1", text)
