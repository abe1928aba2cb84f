"""The PDF of the sample: the plan of the first quarter, four pages with real text, a table and a chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.shapes import Drawing, String
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

INK, ACCENT, PALE = HexColor("#1d2733"), HexColor("#1f6f78"), HexColor("#e8f0f1")
BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=11.5, leading=17.5, textColor=INK, spaceAfter=8)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=10, leading=13.5, spaceAfter=0)
ITEM = ParagraphStyle("item", parent=BODY, leftIndent=14, bulletIndent=3, spaceAfter=4)
HEAD = ParagraphStyle(
    "head", fontName="Helvetica-Bold", fontSize=15, leading=20, textColor=ACCENT, spaceBefore=10, spaceAfter=8
)
TITLE = ParagraphStyle("title", parent=HEAD, fontSize=27, leading=33, textColor=INK, spaceBefore=0, spaceAfter=2)
LEAD = ParagraphStyle("lead", parent=BODY, fontSize=12.5, leading=18, textColor=ACCENT, spaceAfter=14)

WORK = [
    ("Project", "What will be different at the end of March", "Led by", "Ready by"),
    ("WEB", "Contracts are signed at the counter in four minutes, the deposit on its own line.", "J. Weber", "5 Mar"),
    ("MOB", "Returns on the yard need no connection; photos arrive the right way up.", "P. Raman", "19 Mar"),
    ("OPS", "600 bookings a minute at p95 below 400 ms; one shop restored in under an hour.", "N. Haddad", "26 Feb"),
    ("DOC", "A new shop reaches its first booking in 20 minutes with the guide alone.", "Z. de Vries", "12 Mar"),
]
RISKS = [
    ("Risk", "Sign that it is happening", "What we do then"),
    ("The database upgrade slips into spring", "No rehearsal by 29 January", "Stay on the present version until June"),
    ("The scanners are not delivered", "No shipping notice by 15 January", "Camera scanning first, rings later"),
    ("Two people fall ill at once in support", "Answers take longer than a day", "A developer a day joins support"),
    ("Tax treatment of vouchers stays open", "No letter by 12 February", "Vouchers move to the second quarter"),
]


def table(rows: Sequence[Sequence[str]], widths: Sequence[float]) -> Table:
    cells = [[Paragraph(f"<b>{text}</b>" if row is rows[0] else text, CELL) for text in row] for row in rows]
    style = [
        ("BACKGROUND", (0, 0), (-1, 0), PALE),
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, ACCENT),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
    ]
    return Table(cells, colWidths=[width * mm for width in widths], style=TableStyle(style))


def items(*texts: str) -> list[Flowable]:
    return [Paragraph(text, ITEM, bulletText="\u2022") for text in texts]


def chart() -> Drawing:
    drawing = Drawing(165 * mm, 72 * mm)
    bars = VerticalBarChart()
    bars.x, bars.y, bars.width, bars.height = 30, 24, 150 * mm - 30, 52 * mm
    bars.data = [[190, 205, 310, 520, 610, 540], [210, 230, 360, 0, 0, 0]]
    bars.categoryAxis.categoryNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"]
    bars.valueAxis.valueMin, bars.valueAxis.valueMax, bars.valueAxis.valueStep = 0, 700, 100
    bars.bars[0].fillColor, bars.bars[1].fillColor = HexColor("#9fb8bb"), ACCENT
    bars.bars.strokeColor = None
    drawing.add(bars)
    note = "Bookings in the busiest minute: 2026 (pale), expected for 2027 (dark)"
    drawing.add(String(30, 66 * mm, note, fontName="Helvetica", fontSize=9, fillColor=INK))
    return drawing


def aims_page() -> list[Flowable]:
    return [
        Spacer(1, 24 * mm),
        Paragraph("First quarter plan", TITLE),
        Paragraph("January to March 2027", LEAD),
        Paragraph(
            "acme makes software for shops that rent out tools and machines. From the end of March these shops are "
            "three times as busy as in winter. Whatever we want to be good at in spring has to be finished, tried out "
            "and explained before that. This plan says what it is, and what we leave alone.",
            BODY,
        ),
        Paragraph("Three aims", HEAD),
        *items(
            "<b>Four minutes at the counter.</b> From scanning the contract to the signature. Today it takes seven.",
            "<b>Nothing lost on the yard.</b> A return recorded without a connection reaches the depot complete.",
            "<b>Ready for spring.</b> 600 bookings a minute while one zone is missing.",
        ),
        Paragraph("How we will know", HEAD),
        Paragraph(
            "Each aim has one figure, measured from outside and shown on the screen in the hall: the median handover "
            "time of the ten trial shops, the number of returns typed in a second time, and the 95th percentile of "
            "the booking page in the weekly load test. We look at them on Mondays and change the plan if they tell us "
            "to.",
            BODY,
        ),
        PageBreak(),
    ]


def work_page() -> list[Flowable]:
    return [
        Paragraph("The work, project by project", HEAD),
        table(WORK, (18, 92, 30, 25)),
        Spacer(1, 6 * mm),
        Paragraph("What we leave alone", HEAD),
        *items(
            "Gift vouchers, until the tax adviser has answered.",
            "The marketplace, except for planning its documentation.",
            "Showing how many people look at a machine. Ten shops will be asked first.",
        ),
        Paragraph("Order of work", HEAD),
        Paragraph(
            "January belongs to repairs: the calendar, the price preview that differs by a cent, and the orientation "
            "of photos. February is for the new handover, which the depots in Utrecht and Bergen try out for two "
            "weeks. In March nothing new begins; we finish, write and rehearse. The last release before spring is on "
            "24 March.",
            BODY,
        ),
        PageBreak(),
    ]


def capacity_page() -> list[Flowable]:
    return [
        Paragraph("Load and capacity", HEAD),
        Paragraph(
            "Last year the busiest minute was on the second Saturday in May. The shops that joined since then add "
            "about a fifth. The load test in February therefore aims at 730 bookings a minute, and the promise we "
            "make is 600.",
            BODY,
        ),
        chart(),
        Paragraph("Money", HEAD),
        Paragraph(
            "Compute is steady enough to reserve 60 percent for a year, which saves about 2,900 euros a month. Of "
            "that, 380 euros go into a second search node and 600 into the staging copy with made-up customers. "
            "The rest stays with finance.",
            BODY,
        ),
        Paragraph("People", HEAD),
        Paragraph(
            "Twenty-three of us work on this, five of them part of the week in support. Nobody is on call two weeks "
            "in a row; over the holidays there are two people at a time.",
            BODY,
        ),
        PageBreak(),
    ]


def risks_page() -> list[Flowable]:
    return [
        Paragraph("Risks", HEAD),
        table(RISKS, (55, 52, 58)),
        Spacer(1, 6 * mm),
        Paragraph("Dates", HEAD),
        *items(
            "15 January: certificate of the label service renewed, reservations signed",
            "29 January: rehearsal of the database upgrade; Android 9 is dropped",
            "19 February: load test, with the loss of a zone in the middle",
            "5 March: the new handover is on for everyone",
            "24 March: last release before spring",
            "31 March: we look back, with the three figures",
        ),
        Spacer(1, 8 * mm),
        Paragraph("Agreed in the planning meeting of 24 November 2026. Changes are announced on Mondays.", BODY),
    ]


def footer(canvas: Canvas, _: SimpleDocTemplate) -> None:
    canvas.setFont("Helvetica", 8.5)
    canvas.setFillColor(ACCENT)
    canvas.drawString(22 * mm, 12 * mm, "acme \u00b7 First quarter plan 2027")
    canvas.drawRightString(A4[0] - 22 * mm, 12 * mm, f"Page {canvas.getPageNumber()} of 4")


def write_plan(path: Path) -> None:
    document = SimpleDocTemplate(
        str(path),
        pagesize=A4,
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=20 * mm,
        bottomMargin=22 * mm,
        title="First quarter plan",
        author="Zoë de Vries",
        subject="January to March 2027",
        invariant=1,
    )
    story = [*aims_page(), *work_page(), *capacity_page(), *risks_page()]
    document.build(story, onFirstPage=footer, onLaterPages=footer)
