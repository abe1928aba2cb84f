"""The plain files of the sample: meeting notes, an export that is too large, and files that must be refused."""

from __future__ import annotations

import random
import struct
from datetime import UTC, datetime, timedelta

EXPORT_BYTES = 300 * 1024

MEETING_NOTES = """\
Planning meeting, 24 November 2026, 10:00–11:15 (Utrecht and remote)
====================================================================

Present: Zoë de Vries (chair), Jonas Weber, Priya Raman, Nadia Haddad, Łukasz Zieliński, Beatriz Côrtes,
         Nguyễn Minh Anh. Apologies: Freya Nygård.

1. What the shops say
   • Verhuur Zuid: “On Saturdays the queue reaches the street.” Handover takes 7 min on average, we promise 4.
   • Bergen: no signal on the yard, returns are written on paper and typed in later.
   • Kraków: counter opens at 5:00; the screen is too bright (→ dark theme, WEB).
   • Location de l'Étang asks for prices without tax for négociants. 12 shops in France would use it.

2. First quarter: three aims
   a) Handover in ≤ 4 minutes at the counter
   b) Returns without a connection, nothing lost
   c) Ready for spring: 600 bookings/min at p95 < 400 ms

3. Decisions
   ✔ Android 9 is dropped at the end of January (0.8 % of devices).
   ✔ Gift vouchers wait for the tax adviser.
   ✘ “23 people are looking at this machine” — not before we have measured it with ten shops.

4. Who does what
   – Nadia: second person on call, 21 December–6 January
   – Priya: test plan for the spring release, by 5 February
   – Beatriz: glossary (120 terms; DE, FR, PL, ES), Ukrainian later: застава, повернення, пошкодження
   – Łukasz: ask the cousin in Łódź to proofread the Polish pages
   – Jonas: price preview vs. invoice, Δ = 0.01 €

5. Cost of the search node: 380 €/month × 12 = 4 560 € a year. ½ of it is old segments.

Next meeting: 8 December, 10:00. 日本からの Hana Suzuki は 9 時に参加します。Cake: Minh Anh 🍰
"""

DISGUISED = """\
This is not a picture.

The name ends in .png and whoever uploads it declares image/png, but these are words.
A service that looks at the first bytes finds no PNG signature here and refuses the file.
"""


def installer(seed: int) -> bytes:
    """A file that looks like a Windows program by its first bytes. It cannot run: its sections are noise."""
    rng = random.Random(seed)  # noqa: S311 - sample data, nothing secret
    stub = b"\x0e\x1f\xba\x0e\x00\xb4\x09\xcd\x21\xb8\x01\x4c\xcd\x21This program cannot be run in DOS mode.\r\r\n$"
    header = b"MZ" + struct.pack("<29H", 0x90, 3, 0, 4, 0, 0xFFFF, 0, 0xB8, *([0] * 21)) + struct.pack("<I", 128)
    image = (header + stub).ljust(128, b"\x00")
    coff = b"PE\x00\x00" + struct.pack("<HHIIIHH", 0x014C, 0, 0, 0, 0, 0, 0x0102)
    return image + coff + rng.randbytes(4096 - len(image) - len(coff))


def huge_export(seed: int) -> str:
    """An access log as CSV, a little larger than the limit for text/csv."""
    rng = random.Random(seed)  # noqa: S311 - sample data, nothing secret
    paths = ["/bookings", "/machines", "/returns", "/availability", "/invoices", "/customers", "/price-lists"]
    depots = ["utrecht", "bergen", "krakow", "lyon", "hamburg", "cork", "wien", "tenerife"]
    moment = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
    lines = ["time,request,depot,method,path,status,milliseconds\n"]
    size = len(lines[0])
    while size < EXPORT_BYTES:
        moment += timedelta(milliseconds=rng.randint(20, 4000))
        method = rng.choices(["GET", "POST", "PATCH"], [80, 14, 6])[0]
        status = rng.choices([200, 201, 204, 304, 400, 404, 409, 500], [70, 8, 5, 9, 3, 3, 1, 1])[0]
        path = f"{rng.choice(paths)}/{rng.randint(1, 9999)}" if method != "POST" else rng.choice(paths)
        took = round(rng.lognormvariate(3.6, 0.7))
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        request = f"{rng.getrandbits(24):06x}"
        lines.append(f"{stamp},{request},{rng.choice(depots)},{method},{path},{status},{took}\n")
        size += len(lines[-1])
    return "".join(lines)
