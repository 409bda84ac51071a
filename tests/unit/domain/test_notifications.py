"""What members can choose, and what they cannot."""

import pytest

from marketplace.domain.notifications import (
    RULES,
    Channel,
    Kind,
    NecessaryNotification,
    Preferences,
    Rule,
    may_be_refused,
)
from marketplace.domain.shared.errors import Invalid

EVERY_SWITCH = [(kind, channel) for kind in Kind for channel in Channel]


@pytest.mark.parametrize(("kind", "channel"), EVERY_SWITCH)
def test_each_kind_is_chosen_as_the_table_says(kind, channel):
    preferences, rule = Preferences(), RULES[kind][channel]
    at_first = preferences.wants(kind, channel)
    assert at_first == (rule in (Rule.ALWAYS, Rule.UNLESS_REFUSED))
    if may_be_refused(kind, channel):
        preferences.choose(kind, channel, not at_first)
        assert preferences.wants(kind, channel) is not at_first
        preferences.choose(kind, channel, at_first)
    else:
        with pytest.raises(NecessaryNotification if rule is Rule.ALWAYS else Invalid):
            preferences.choose(kind, channel, False)
    assert preferences.wants(kind, channel) is at_first


def test_a_choice_of_before_the_kind_became_necessary_no_longer_counts():
    preferences = Preferences(chosen={(Kind.ORDER_CONFIRMED, Channel.MAIL): False})
    assert preferences.wants(Kind.ORDER_CONFIRMED, Channel.MAIL)


@pytest.mark.parametrize(
    "kind",
    [
        Kind.EMAIL_VERIFICATION,
        Kind.ORDER_CONFIRMED,
        Kind.REFUND_DECIDED,
        Kind.REFUND_FAILED,
        Kind.SELLER_APPROVED,
        Kind.SELLER_REJECTED,
        Kind.SELLER_SUSPENDED,
    ],
)
def test_what_binds_or_protects_is_always_mailed(kind):
    assert RULES[kind][Channel.MAIL] is Rule.ALWAYS


def test_every_switch_is_shown_but_those_of_channels_that_a_kind_never_takes():
    shown = {(switch.kind, switch.channel): switch for switch in Preferences().all()}
    assert set(shown) == {each for each in EVERY_SWITCH if RULES[each[0]][each[1]] is not Rule.NEVER}
    assert shown[Kind.ORDER_CONFIRMED, Channel.MAIL].necessary
    assert not shown[Kind.SALE_MADE, Channel.MAIL].necessary
    assert not shown[Kind.NEWSLETTER, Channel.MAIL].wanted
