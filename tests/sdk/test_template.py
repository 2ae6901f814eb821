"""Values in a template come out as text, whoever forgets to escape them."""

import html
import re

import markdown
import pytest
from jinja2 import DictLoader, UndefinedError
from markdown_it import MarkdownIt

from nthlayer_sync.sdk import quote, template
from nthlayer_sync.sdk.template import Markdown, Page

COMMONMARK = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKUP = (
    "a_b __init__ _x_ *y* **z**",
    "<b>x</b> <script>alert(1)</script> <!-- c -->",
    "R&D &amp; &lt;",
    "{{ 7*7 }} {% raw %} {: .x onclick=a } ${{ x }}",
    "[x](javascript:alert(1)) ![y](http://e) [^1]: note",
    "https://evil.example/ <https://evil.example> www.evil.example a@b.example",
    ":fire: a: b :+1: 09:00-16:00",
    "| a | b |",
    "# heading #",
    "C##",
    "- item",
    "+ item",
    "1. one",
    "12) twelve",
    "=== tab",
    "---",
    "::: block",
    "~~x~~ ^^y^^ ==z== $m$ $$m$$",
    "`code` ``",
    "a\\b \\* \\",
    "```x",
    "~~~x",
    '--8<-- "/etc/passwd"',
    "{++a++} {--b--} {==c==} {>>d<<}",
    "!!! note",
    "??? details",
    "> quote",
    "*[HTML]: x",
    ": definition",
    "\tcode",
)


TABLE = "| a | b |\n|---|---|\n| x | {{ v }} |"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch):
    def make(source: str) -> Page:
        environment = template._environment.__wrapped__("nthlayer_sync.plugins.techdocs")
        environment.loader = DictLoader({"page": source})
        monkeypatch.setattr(template, "_template", lambda package, name: environment.get_template(name))
        return Page("any", "page")

    return make


@pytest.mark.parametrize("value", MARKUP)
def test_a_value_is_text_in_every_place(value: str, page) -> None:
    source = "\n\n".join(
        ["{% block b %}", "{{ v }}", "## {{ v }}", "> {{ v }}", "text {{ v }} text", TABLE, "{% endblock %}"]
    )
    shown = page(source).block("b", v=value)
    plain = page(source).block("b", v="plain")
    for render in (COMMONMARK.render, lambda t: markdown.markdown(t, extensions=["extra"])):
        tags, wanted = ([re.sub(r' id=".*?"', "", t) for t in re.findall("<[^>]*>", render(x))] for x in (shown, plain))
        assert tags == wanted
        text = html.unescape(re.sub("<[^>]*>", "", render(shown)))
        assert text.count(quote.line(value)) == 5, text


def test_filters_make_markdown_of_values(page) -> None:
    made = page(
        "{% block b %}{{ 'a`b'|code }} {{ '[t]'|link('https://x/(a)') }} {{ 't'|link('javascript:x') }} "
        "{{ 'https://x/y'|address }}{% endblock %}"
    ).block("b")
    assert made == "``a`b`` [\\[t\\]](https://x/%28a%29) t [x/y](https://x/y)\n"


def test_a_fence_cannot_be_left(page) -> None:
    made = page("{% block b %}{{ v|fence('promql') }}{% endblock %}").block("b", v='up{a="````"}\n```\n  b \u202e')
    assert made == '`````promql\nup{a="````"}\n```\n  b \n`````\n'


def test_what_is_joined_is_escaped_again(page) -> None:
    assert (
        page("{% block b %}{{ a ~ '<i>' }}{% endblock %}").block("b", a=Markdown("**x**"))
        == "\\*\\*x\\*\\*&#60;i&#62;\n"
    )


def test_what_is_missing_is_an_error(page) -> None:
    with pytest.raises(UndefinedError):
        page("{% block b %}{{ nothing }}{% endblock %}").block("b")
    with pytest.raises(TypeError, match="None"):
        page("{% block b %}{{ nothing }}{% endblock %}").block("b", nothing=None)


def test_blank_lines_are_tidied(page) -> None:
    assert page("{% block b %}\n\n\na\n\n\n\nb\n\n{% endblock %}").block("b") == "a\n\nb\n"
