"""Registration numbers: each country's example is good, and what is near it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organisations.registration_numbers import RULES, Verdict, check, expected


@pytest.mark.parametrize("country", RULES)
def test_the_examples_are_numbers_of_their_country(country):
    for rule in RULES[country]:
        assert rule.fits(rule.example)
        assert check(country, rule.example) is Verdict.GOOD
        assert rule.example in expected(country)


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("BE", "0403.019.262"),
        ("BE", "VZW 0403.019.261, Belgium"),
        ("DE", "Atlantis VR 4711"),
        ("FR", "W75"),
        ("NL", "1234567"),
        ("US", "00-1144442"),
        ("CH", "CHE-100.155.213"),
        ("BE", "0403\u202e019261"),
        ("BE", "٠٤٠٣٠١٩٢٦١"),
        ("BE", "9" * 61),
        ("BE", ""),
    ],
)
def test_what_a_register_cannot_have_given_out_is_wrong(country, number):
    assert check(country, number) is Verdict.WRONG


def test_where_no_rule_is_known_a_number_is_taken_as_it_is():
    assert check("GB", "1123456") is Verdict.NOT_CHECKED
    assert expected("GB") == ""


@given(st.sampled_from(sorted(RULES)), st.text(max_size=70))
def test_whatever_is_typed_there_is_a_verdict(country, number):
    assert check(country, number) in (Verdict.GOOD, Verdict.WRONG)
