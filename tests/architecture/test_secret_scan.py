"""The scan finds secrets, and does not report texts that only look like them."""

from pathlib import Path

import pytest

from tests.architecture.secret_scan import find_secrets

PLANTED = {
    "AWS Access Key": 'key = "AKIA' + 'Q7T3XLRCN5ZWPKMD"',
    "Private Key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "Slack Token": 'token = "xoxb-' + '123456789012-123456789012-abcdefghijklmnopqrstuvwx"',
    "GitHub Token": "ghp_" + "a1B2" * 9,
    "Stripe Access Key": "sk_live_" + "a1B2c3D4" * 4,
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_secret_is_found(kind: str, tmp_path: Path) -> None:
    (file := tmp_path / "settings.py").write_text(f"first line\n{PLANTED[kind]}\n")
    assert list(find_secrets([file])) == [f"{file}:2: {kind}"]


def test_hashes_ids_and_allowed_lines_are_not_reported(tmp_path: Path) -> None:
    lines = ["sha256:" + "0f" * 32, "task_" + "a1" * 16, PLANTED["AWS Access Key"] + "  # pragma: allowlist secret"]
    (file := tmp_path / "golden.py").write_text("\n".join(lines))
    assert list(find_secrets([file])) == []
