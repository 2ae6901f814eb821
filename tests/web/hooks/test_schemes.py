"""Signatures: the vendors' own examples hold, and nothing that was not signed does."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.web.hooks import HOOKS
from nthlayer_sync.web.hooks.keys import several
from tests.web.hooks.senders import NOW, PLAIN, SECRETS, STANDARD, signed

BODY = b'{"event": {"event_type": "service.updated"}}'


def accepts(system: str, headers: dict[str, str], body: bytes, *secrets: str, now: float = NOW) -> bool:
    scheme = HOOKS[system].scheme
    if not scheme.plausible(headers, now):
        return False
    check = scheme.admit(headers, secrets or (SECRETS[system],))
    return check is not None and check(body)


def test_the_example_of_github_holds() -> None:
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert accepts("github", {"X-Hub-Signature-256": signature}, b"Hello, World!", "It's a Secret to Everybody")
    assert not accepts("github", {"X-Hub-Signature-256": signature}, b"Hello, World?", "It's a Secret to Everybody")


@pytest.mark.parametrize("system", ["backstage", "deploy", "gitlab"])
def test_the_example_of_standard_webhooks_holds(system: str) -> None:
    # https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries: the vector that their tests share
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    body = b'{"test": 2432232314}'
    assert accepts(system, headers, body, STANDARD, now=1614265330)
    assert accepts(system, headers, body, STANDARD, now=1614265330 + 300)
    assert not accepts(system, headers, body, STANDARD, now=1614265330 + 301)
    assert not accepts(system, headers, body, STANDARD, now=1614265330 - 301)


def test_pagerduty_signs_with_several_secrets_while_one_is_replaced() -> None:
    # The header of the example at https://docs.pagerduty.com/developer/verifying-webhook-signatures, and ours behind it
    other = "v1=f03de6f61df6e454f3620c4d6aca17ad072d3f8bbb2760eac3b2ad391b5e8073"
    ours = signed("pagerduty", BODY)["X-PagerDuty-Signature"]
    assert accepts("pagerduty", {"X-PagerDuty-Signature": f"{other},{ours}"}, BODY)
    assert accepts("pagerduty", {"X-PagerDuty-Signature": f"{ours}, {other}"}, BODY)
    assert not accepts("pagerduty", {"X-PagerDuty-Signature": f"{other},{ours.replace('v1=', 'v2=')}"}, BODY)
    assert not accepts("pagerduty", {"X-PagerDuty-Signature": f"{','.join([other] * 8)},{ours}"}, BODY)


def test_cortex_signs_time_and_body_in_either_notation() -> None:
    time = str(round(NOW * 1000))
    made = hmac.new(PLAIN.encode(), f"{time}.".encode() + BODY, hashlib.sha256).digest()
    for form in (made.hex(), f"sha256={made.hex()}", base64.b64encode(made).decode()):
        assert accepts("cortex", {"x-cortex-timestamp": time, "x-cortex-signature-256": form}, BODY)
        later = {"x-cortex-timestamp": str(int(time) + 1), "x-cortex-signature-256": form}
        assert not accepts("cortex", later, BODY)
    sha1 = hmac.new(PLAIN.encode(), f"{time}.".encode() + BODY, hashlib.sha1).hexdigest()
    assert not accepts("cortex", {"x-cortex-timestamp": time, "x-cortex-signature": sha1}, BODY)
    only = hmac.new(PLAIN.encode(), time.encode(), hashlib.sha256).hexdigest()
    assert not accepts("cortex", {"x-cortex-timestamp": time, "x-cortex-timestamp-only-signature-256": only}, BODY)


def test_a_signing_token_of_gitlab_is_never_taken_in_the_open() -> None:
    assert accepts("gitlab", signed("gitlab", BODY, secret=STANDARD), BODY, STANDARD)
    assert not accepts("gitlab", {"X-Gitlab-Token": STANDARD}, BODY, STANDARD)
    assert accepts("gitlab", {"X-Gitlab-Token": SECRETS["gitlab"]}, BODY, STANDARD, SECRETS["gitlab"])
    # Whoever sends both is judged by the signature.
    both = signed("gitlab", BODY, secret=STANDARD) | {"X-Gitlab-Token": SECRETS["gitlab"]}
    assert not accepts("gitlab", both, BODY + b" ", STANDARD, SECRETS["gitlab"])


@pytest.mark.parametrize("system", HOOKS)
def test_every_secret_holds_while_one_is_replaced(system: str) -> None:
    new = f"whsec_{base64.b64encode(b'n' * 32).decode()}" if SECRETS[system] == STANDARD else "new-secret-0123456789"
    headers = signed(system, BODY, secret=new)
    assert not accepts(system, headers, BODY)
    assert accepts(system, headers, BODY, SECRETS[system], new)
    assert accepts(system, signed(system, BODY), BODY, new, SECRETS[system])


@given(data=st.data())
@pytest.mark.parametrize("system", HOOKS)
def test_nothing_forged_is_accepted(system: str, data: st.DataObject) -> None:
    """Whatever is done to a delivery without the secret: it is refused, and never an error."""
    genuine = signed(system, BODY)
    headers = dict(genuine)
    for name in genuine:
        value = genuine[name]
        made = st.one_of(
            st.text(max_size=120),
            st.just(""),
            st.just(value[:-1]),
            st.just(value + value[-1]),
            st.just(value.swapcase()),
            st.just(f" {value}"),
            st.just(f"{value}\n"),
            st.from_regex(r"(v1=|sha256=|v1,|Bearer )?[0-9a-f]{64}", fullmatch=True),
            st.from_regex(r"(v1,)[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*", fullmatch=True),
        )
        headers[name] = data.draw(st.one_of(st.just(value), made))
    body = data.draw(st.one_of(st.just(BODY), st.just(BODY[:-1]), st.just(b""), st.binary(max_size=60)))
    tokens = system in ("gitlab", "alertmanager")  # prove nothing of the body
    proven = [name for name in genuine if name != "X-GitHub-Delivery"]
    # Around a value HTTP allows blanks.
    if accepts(system, headers, body):
        assert all(headers[name].strip() == genuine[name] for name in proven)
        assert tokens or body == BODY
    else:
        assert any(headers[name] != genuine[name] for name in proven) or (body != BODY and not tokens)


@pytest.mark.parametrize("system", HOOKS)
@given(headers=st.dictionaries(st.sampled_from([
    "webhook-id", "webhook-timestamp", "webhook-signature", "X-Hub-Signature-256", "X-Gitlab-Token", "Authorization",
    "X-PagerDuty-Signature", "x-cortex-timestamp", "x-cortex-signature-256",
]), st.text(max_size=100)))  # fmt: skip
def test_headers_of_any_sort_are_no_error(system: str, headers: dict[str, str]) -> None:
    assert not accepts(system, headers, BODY)


def test_a_secret_of_standard_webhooks_has_to_be_one() -> None:
    for wrong in ("whsec_", "whsec_short", "whsec_!!!", "secret", f"whsec_{base64.b64encode(b'x' * 15).decode()}"):
        with pytest.raises(PermanentError, match="whsec_"):
            HOOKS["deploy"].scheme.check(wrong)
    HOOKS["deploy"].scheme.check(STANDARD)
    HOOKS["gitlab"].scheme.check("any text")
    with pytest.raises(PermanentError, match="whsec_"):
        HOOKS["gitlab"].scheme.check("whsec_short")


def test_several_secrets_stand_one_behind_the_other() -> None:
    assert several(f"{'a' * 16} {'b' * 20}") == ("a" * 16, "b" * 20)
    assert several(f"{'a' * 16}\n{'b' * 20}\n") == ("a" * 16, "b" * 20)
    assert several(PLAIN) == (PLAIN,)  # no word of a phrase is a secret of its own
    assert several("one-long-enough-word short") == ("one-long-enough-word short",)
    with pytest.raises(PermanentError, match="5 secrets"):
        several(" ".join([letter * 16 for letter in "abcde"]))
