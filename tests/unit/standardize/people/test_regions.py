"""Of which country numbers are that name none."""

import pytest

from onefold.standardize.people.regions import likely_region


@pytest.mark.parametrize(
    ("numbers", "region"),
    [
        (["(415) 555-2671", "212-736-5000", "312.421.0000", "13812345678"], "US"),
        (["138 1234 5679", "15812345670", "010-65529988"], "CN"),
        (["0171 2345678", "030 90269 5000", "0151 12345678"], "DE"),
        (["+49 151 12345678", "+1 415 555 2671"], None),
        (["12", "n/a", "", "unknown"], None),
        ([], None),
    ],
)
def test_the_country_is_that_in_which_most_can_be_called(
    numbers: list[str], region: str | None
) -> None:
    assert likely_region(numbers) == region
