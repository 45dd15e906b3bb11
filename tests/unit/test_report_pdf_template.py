"""The PDF of an organisation's own template: its words, its logo; its faults by file and line."""

from pathlib import Path

import pypdfium2 as pdfium
import pytest

from connector.errors import ConnectorError
from connector.report.pdf_content import blocks_of, said
from connector.report.render import render, render_each
from connector.report.report import Report
from tests.golden.rewrite import golden_report

LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">'
    '<rect width="40" height="20"/></svg>'
)


@pytest.fixture(scope="module")
def monthly(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return golden_report(tmp_path_factory.mktemp("month"))


def words_in(content: bytes) -> str:
    found = [page.get_textpage().get_text_range() for page in pdfium.PdfDocument(content)]
    return " ".join(" ".join(found).split())


def own(folder: Path, text: str) -> Path:
    (folder / "pdf.html.j2").write_text(text, encoding="utf-8")
    return folder


def test_ones_own_template_makes_the_pdf_with_ones_own_picture(
    monthly: Report, tmp_path: Path
) -> None:
    (tmp_path / "logo.svg").write_text(LOGO, encoding="utf-8")
    text = '<figure><img src="logo.svg" alt="Marisma" width="10%"></figure>'
    folder = own(tmp_path, text + "<h1>Ours: {{ view.title }}</h1>\n<p>a  <b>bold</b> & word</p>")
    content = render(monthly, "pdf", folder).content
    assert "Ours: Journey report" in words_in(content)
    assert "a bold & word" in words_in(content)
    assert "What each figure means" not in words_in(content)


@pytest.mark.parametrize(
    ("text", "file", "line", "what"),
    [
        ("<p>ok</p>\n{{ view.no_such }}", "pdf.html.j2", "2", "no_such"),
        ("<p>ok</p>\n\n{% if %}", "pdf.html.j2", "3", "Expected an expression"),
        ("{{ view.__class__.__mro__ }}", "pdf.html.j2", "1", "unsafe"),
        ("<p>ok</p>\n<video>x</video>", "pdf.html.j2", "2", "<video>"),
        ("<ul>\n<li>x</ul>", "pdf.html.j2", "2", "</ul> closes nothing"),
        ("<p>a</p>\n\n<p>b", "pdf.html.j2", "3", "<p> is not closed"),
        ('<img src="/etc/passwd" alt="">', "pdf.html.j2", "1", "no picture '/etc/passwd'"),
        ('<img src="../{0}" alt="">', "pdf.html.j2", "1", "no picture"),
    ],
)
def test_a_broken_one_is_named_with_its_line_and_the_others_go_out(
    monthly: Report, tmp_path: Path, text: str, file: str, line: str, what: str
) -> None:
    folder = own(tmp_path, text)
    files, problems = render_each(monthly, ["md", "pdf"], folder)
    assert [one.name.rpartition(".")[2] for one in files] == ["md"]
    (problem,) = problems
    assert file in problem
    assert f"line {line}" in problem
    assert what in problem


def test_a_picture_that_is_none_is_a_sentence(monthly: Report, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"no picture at all")
    folder = own(tmp_path, '<img src="logo.png" alt="x">')
    with pytest.raises(ConnectorError, match="PDF could not be set"):
        render(monthly, "pdf", folder)


def test_words_of_records_are_never_markup() -> None:
    html = "<p>&lt;img src=x&gt; #eval(&quot;1&quot;) $x$ @label</p>"
    (block,) = blocks_of(html, [])
    assert said(block["words"]) == '<img src=x> #eval("1") $x$ @label'


def test_a_row_may_span_and_a_link_to_nowhere_is_plain(monthly: Report, tmp_path: Path) -> None:
    text = (
        '<p><a href="#nowhere">plain</a></p><table><caption>c</caption><thead><tr><th>A</th>'
        '<th class="n">B</th><th>C</th></tr></thead><tbody><tr><td>1</td>'
        '<td colspan="2">a remark</td></tr></tbody></table>'
    )
    assert "a remark" in words_in(render(monthly, "pdf", own(tmp_path, text)).content)
    wide = text.replace('colspan="2"', 'colspan="3"')
    with pytest.raises(ConnectorError, match="more cells than there are columns"):
        render(monthly, "pdf", own(tmp_path, wide))


def test_a_place_where_a_long_word_may_break_is_kept_on_paper() -> None:
    (block,) = blocks_of("<p>compro<wbr>meterse <b>a<wbr>b</b></p>", ())
    assert "".join(run["text"] for run in block["words"]) == "compro\u200bmeterse a\u200bb"
