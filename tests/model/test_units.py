"""The notations: what is read, what it becomes, what is refused and how."""

import pickle
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from nthlayer_sync.model.notation import Notation, NotationError
from nthlayer_sync.model.units import (
    CURRENCIES,
    LONGEST_DURATION,
    METRICS,
    MILLISECONDS,
    PERIODS,
    UNITS,
    Condition,
    Duration,
    Matcher,
    Money,
    Percent,
)

PROMETHEUS_DURATION = re.compile(  # model.ParseDuration of prometheus/common
    r"^(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?$"
)

amounts = st.decimals(0, 10**14, places=4).filter(lambda number: number >= 0)
durations = st.builds(Duration, st.integers(0, LONGEST_DURATION))
percents = st.builds(Percent, st.decimals(0, 100, places=9))
money = st.builds(Money, st.sampled_from(sorted(CURRENCIES)), st.sampled_from(PERIODS), amounts)
matchers = st.builds(
    Matcher,
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True),
    st.sampled_from(["=", "!="]),
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=60),
)
values = {Duration: durations, Percent: percents, Decimal: amounts.map(lambda number: number.normalize())}
conditions = st.sampled_from(sorted(METRICS)).flatmap(
    lambda metric: st.builds(
        Condition, st.just(metric), st.sampled_from([">", ">=", "<", "<="]), values[METRICS[metric]]
    )
)


@given(st.one_of(durations, percents, money, matchers, conditions))
def test_each_value_reads_back_from_its_canonical_text(value: Notation) -> None:
    again = type(value).parse(str(value))
    assert again == value
    assert hash(again) == hash(value)
    assert str(again) == str(value)
    assert pickle.loads(pickle.dumps(value)) == value
    adapter = TypeAdapter(type(value))
    assert adapter.validate_json(adapter.dump_json(value)) == value
    assert any(re.search(pattern, str(value)) for pattern in patterns(type(value)))


def patterns(notation: type[Notation]) -> list[str]:
    options = notation.schema.get("anyOf", [notation.schema])
    return [option["pattern"] for option in options if "pattern" in option]


@given(durations)
def test_prometheus_accepts_the_canonical_duration(duration: Duration) -> None:
    found = PROMETHEUS_DURATION.match(duration.prometheus())
    assert found
    counts = zip(MILLISECONDS.values(), found.groups()[1::2], strict=True)
    assert sum(length * int(count or 0) for length, count in counts) == duration.milliseconds


@given(st.integers(1, 292), st.sampled_from(sorted(UNITS)))
def test_every_unit_name_means_what_its_short_form_means(count: int, name: str) -> None:
    assert Duration.parse(f"{count}{name}") == Duration.parse(f"{count} {UNITS[name]}")


@given(st.integers(1, 999), st.from_regex(r"[A-Za-z]{1,10}", fullmatch=True).filter(lambda word: word not in UNITS))
def test_an_unknown_unit_is_refused_with_the_known_ones(count: int, word: str) -> None:
    with pytest.raises(NotationError) as refused:
        Duration.parse(f"{count}{word}")
    assert refused.value.column == len(str(count)) + 1
    assert set(refused.value.allowed) == set(UNITS)


@given(st.text(max_size=40))
def test_any_other_text_is_refused_in_words(text: str) -> None:
    for notation in (Duration, Percent, Money, Condition, Matcher):
        try:
            value = notation.parse(text)
        except NotationError:
            continue
        assert notation.parse(str(value)) == value


@pytest.mark.parametrize(
    ("text", "canonical", "seconds"),
    [
        ("200ms", "200ms", 0.2),
        ("15minutes", "15m", 900),
        ("1h30m", "1h30m", 5400),
        ("1.5h", "1h30m", 5400),
        ("90 days", "90d", 7_776_000),
        ("1year", "1y", 31_536_000),
        ("52w", "364d", 31_449_600),
        ("0s", "0s", 0),
        ("60s", "1m", 60),
    ],
)
def test_durations(text: str, canonical: str, seconds: float) -> None:
    assert str(Duration.parse(text)) == canonical
    assert Duration.parse(text).seconds == seconds


@pytest.mark.parametrize("text", ["99.95", "99.95%", " 99.950 % ", 99.95, Decimal("99.95")])
def test_percentages_however_they_are_written(text: object) -> None:
    value = text if not isinstance(text, Decimal) else str(text)
    assert Percent.read(value) == Percent(Decimal("99.95"))
    assert Percent.read(value).ratio == Decimal("0.9995")


@pytest.mark.parametrize(
    "value", ["150", "-1", "NaN", "inf", "1e1", "", "%", float("nan"), float("inf"), 150, -0.5, True, None]
)
def test_what_is_no_percentage_is_refused(value: object) -> None:
    with pytest.raises(NotationError):
        Percent.read(value)


@pytest.mark.parametrize(
    ("notation", "text", "said"),
    [
        (Duration, "1M", "unknown unit 'M' at character 2"),
        (Duration, "1month", "unknown unit 'month' at character 2"),
        (Duration, "5", "ends too early: expected a unit"),
        (Duration, "30m1h", "units go from long to short"),
        (Duration, "0.5ms", "whole number of milliseconds"),
        (Duration, "300y", "between 0 and 292 years"),
        (Duration, "-5m", "unexpected '-' at character 1: expected a number"),
        (Percent, "99.9999999999", "at most 15 digits and 9 decimals"),
        (Percent, "5%%", "unexpected '%' at character 3: expected the end"),
        (Money, "$5000", "expected /"),
        (Money, "5000/month", "expected a currency"),
        (Money, "$5000/fortnight", "unknown period 'fortnight' at character 7"),
        (Money, "5 XYZ/month", "unknown currency 'XYZ' at character 3"),
        (Condition, "latency > 5ms", "unknown metric 'latency' at character 1"),
        (Condition, "p95 > 5%", "latency_p95 is compared with a duration"),
        (Condition, "error_rate > 150%", "between 0 and 100"),
        (Condition, "p95 500ms", "expected one of > >= < <="),
        (Matcher, 'code=~"("', "not a regular expression"),
        (Matcher, 'code=~"(?!5)"', "knows no (?!"),
        (Matcher, r'code=~"(5)\\1"', r"knows no \1"),
        (Matcher, 'code=~"5{1000}"', "knows no {1000}"),
        (Matcher, 'code="5"} or vector(1)', "unexpected '}'"),
        (Matcher, 'code="a\nb"', "expected a text"),
        (Duration, "1" * 300, "longer than 200 characters"),
    ],
)
def test_the_refusal_says_what_is_wrong(notation: type[Notation], text: str, said: str) -> None:
    with pytest.raises(NotationError, match=re.escape(said)):
        notation.parse(text)


def test_money_and_conditions_have_parts() -> None:
    assert Money.parse("$5000/month") == Money.parse("5000 USD / month") == Money("USD", "month", Decimal(5000))
    assert Condition.parse("p95 > 500ms") == Condition("latency_p95", ">", Duration(500))
    assert Condition.parse("> 1%") == Condition("", ">", Percent(Decimal(1)))
    assert Condition.parse("traffic<0.5") == Condition("traffic", "<", Decimal("0.5"))
    assert Matcher.parse(r'path = "a\"b\\c"') == Matcher("path", "=", 'a"b\\c')


def test_values_are_ordered() -> None:
    assert Duration.parse("90s") > Duration.parse("1m")
    assert min(Percent.parse("10"), Percent.parse("9.5")) == Percent.parse("9.5")
    assert min(Condition.parse("p99 > 1s"), Condition.parse("error_rate > 1%")).metric == "error_rate"


def test_a_model_reports_the_refusal_with_its_place() -> None:
    class Form(BaseModel):
        wait: Duration

    with pytest.raises(ValidationError) as refused:
        Form.model_validate({"wait": "5 mins"})
    (detail,) = refused.value.errors()
    assert detail["loc"] == ("wait",)
    assert detail["ctx"]["error"].allowed == tuple(UNITS)
    with pytest.raises(ValidationError, match="expected a text such as"):
        Form.model_validate({"wait": 5})
    assert Form.model_json_schema()["properties"]["wait"]["examples"]
