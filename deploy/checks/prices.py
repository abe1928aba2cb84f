"""List prices of AWS in us-east-1, in US dollars, without free tiers and discounts.

Remembered from AWS's public price pages as of the middle of 2025, not looked up since: before you decide by them, check
each on its page. `python -m deploy costs` computes with them.
"""

from dataclasses import dataclass

AS_OF = "mid-2025"
REGION = "us-east-1"
PAGES = "https://aws.amazon.com"


@dataclass(frozen=True)
class Price:
    """A price: `usd` for `per` of what is counted."""

    usd: float
    per: str
    page: str

    @property
    def each(self) -> float:
        return self.usd / {"million": 1_000_000, "thousand": 1000}.get(self.per.split()[0], 1)


PRICES: dict[str, Price] = {
    "alarm": Price(0.10, "alarm per month", "/cloudwatch/pricing/"),
    "dashboard": Price(3.00, "dashboard per month", "/cloudwatch/pricing/"),
    "log": Price(0.50, "GB of logs ingested", "/cloudwatch/pricing/"),
    "key": Price(1.00, "key per month", "/kms/pricing/"),
    "secret": Price(0.40, "secret per month", "/secrets-manager/pricing/"),
    "sqs": Price(0.40, "million requests", "/sqs/pricing/"),
    "event": Price(1.00, "million events put on a bus", "/eventbridge/pricing/"),
    "archive": Price(0.10, "GB archived", "/eventbridge/pricing/"),
    "schedule": Price(1.00, "million runs of a schedule", "/eventbridge/pricing/"),
    "call": Price(0.20, "million function calls", "/lambda/pricing/"),
    "compute": Price(0.0000133334, "GB-second on arm64", "/lambda/pricing/"),
    "api": Price(1.00, "million HTTP API requests", "/api-gateway/pricing/"),
    "write": Price(0.625, "million write units, on demand", "/dynamodb/pricing/on-demand/"),
    "read": Price(0.125, "million read units, on demand", "/dynamodb/pricing/on-demand/"),
    "trace": Price(5.00, "million traces", "/xray/pricing/"),
}
BESIDE: dict[str, Price] = {
    "table storage": Price(0.25, "GB per month", "/dynamodb/pricing/on-demand/"),
    "point-in-time recovery": Price(0.20, "GB per month", "/dynamodb/pricing/on-demand/"),
    "a restore": Price(0.15, "GB restored", "/dynamodb/pricing/on-demand/"),
    "files": Price(0.023, "GB per month", "/s3/pricing/"),
    "e-mails": Price(0.10, "thousand e-mails", "/ses/pricing/"),
    "people who sign in, over 10 000": Price(0.015, "person per month (Essentials)", "/cognito/pricing/"),
}
"""Prices of what grows with the data and the people, not with the events."""
