"""The page: what a person sees, and what a message can't do to it."""

from __future__ import annotations

from html import unescape

from sandbox.page.mrkdwn import render
from tests.sandbox.sandbox_peer import TIMELINE, Peer, email, template

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"


def test_the_page_is_locked_down(peer: Peer) -> None:
    headers = peer.get("/").headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_it_needs_nothing_from_elsewhere(peer: Peer) -> None:
    page = peer.get("/").text
    assert 'href="http' not in page
    assert 'src="http' not in page
    for name in ("page.css", "page.js"):
        assert peer.get(f"/_/static/{name}").status_code == 200
    assert peer.get("/_/static/views.py").status_code == 404


def test_every_incoming_text_is_escaped(peer: Peer) -> None:
    peer.whatsapp(template(ATTACK, "16:00"))
    actions = {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": ATTACK[:70]}}]}
    section = {"type": "section", "text": {"type": "mrkdwn", "text": f"{ATTACK} <https://a.example/\"onx='|{ATTACK}>"}}
    assert peer.slack({"text": ATTACK, "blocks": [section, actions]}).status_code == 200
    assert peer.slack({"text": ATTACK}).status_code == 200
    assert peer.resend(email(subject=ATTACK, html=ATTACK, text=ATTACK)).status_code == 200
    peer.vendor("POST", "/clients", {"name": ATTACK})
    for query in ("", "?service=whatsapp", "?service=slack", "?service=resend", "?service=systems"):
        page = peer.get(f"/{query}").text
        assert "alert(1)" in page
        assert "<script>alert" not in page
        assert "<img" not in page
    assert "<script>" not in peer.get("/", params={"q": ATTACK}).text


def test_a_mail_is_shown_in_a_frame_that_may_only_open_tabs(peer: Peer) -> None:
    peer.resend(email(html='<p class="x">Dear "Anna"</p>'))
    page = peer.get("/?service=resend").text
    frame = page[page.index("<iframe") : page.index("</iframe>")]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame
    assert '<base target="_blank">' in unescape(frame)
    assert '<p class="x">Dear "Anna"</p>' in unescape(frame)


def test_a_person_sees_each_message(peer: Peer) -> None:
    peer.whatsapp(template("Anna", "16:00"))
    peer.slack({"text": "Power *outage*, see <https://a.example|plan> <!channel>"})
    peer.resend(email(subject="New times for Saturday"))
    peer.vendor("POST", "/bookings/timeline", TIMELINE, Idempotency_Key="page-key")
    page = peer.get("/").text
    assert "Hello Anna, the ceremony is at 16:00." in page
    assert "Power <b>outage</b>" in page
    assert '<a href="https://a.example"' in page
    assert '<span class="mention loud">@channel</span>' in page
    assert "New times for Saturday" in page
    assert "/bookings/timeline" in page
    assert "page-key" in page


def test_it_filters_searches_and_pages(peer: Peer) -> None:
    for number in range(25):
        peer.slack({"text": f"message number {number:02}"})
    first, second = (peer.get(f"/?service=slack&page={page}").text for page in (1, 2))
    assert "number 24" in first
    assert "number 04" not in first
    assert "number 04" in second
    assert "Page 2 of 2" in second
    found = peer.get("/?service=slack&q=number+07").text
    assert "number 07" in found
    assert "number 08" not in found
    assert "Nothing has arrived yet" in peer.get("/?service=whatsapp").text
    assert peer.get("/?service=fax&page=x&mail=x").status_code == 200


def test_what_a_sender_escaped_stays_text() -> None:
    assert render("&lt;!channel&gt; a &amp; b") == "&lt;!channel&gt; a &amp; b"
    assert render("<javascript:alert(1)|x>") == "&lt;javascript:alert(1)|x&gt;"
    assert render("*bold* _it_ ~no~ `*code*`") == "<b>bold</b> <i>it</i> <s>no</s> <code>*code*</code>"
