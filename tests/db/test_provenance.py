"""What may be trained on, line by line of the policy."""

import pytest

from db.provenance import Policy, verdict

PERMITTED = Policy(channel_text="express_permission")


@pytest.mark.parametrize(
    ("source", "consent", "accepted", "trainable"),
    [
        ("npc", "unasked", False, False),
        ("npc", "unasked", True, True),
        ("gm", "unasked", False, True),
        ("teacher", "unasked", False, True),
        ("offline_teacher", "unasked", False, True),
        ("imported", "unasked", False, True),
        ("local", "given", False, True),
        ("local", "refused", False, False),
        ("interaction", "given", False, True),
        ("interaction", "unasked", False, False),
        ("interaction", "refused", False, False),
        ("api", "given", False, True),
        ("api", "unasked", False, False),
        ("api", "refused", False, False),
        ("channel", "given", False, False),
        ("channel", "unasked", True, False),
    ],
)
def test_the_default_policy(source: str, consent: str, accepted: bool, trainable: bool) -> None:
    found = verdict(source, consent, Policy(), accepted=accepted)
    assert found.trainable is trainable
    assert found.reason


@pytest.mark.parametrize(("consent", "trainable"), [("given", True), ("unasked", False), ("refused", False)])
def test_channel_text_needs_express_permission_and_the_authors_consent(consent: str, trainable: bool) -> None:
    assert verdict("channel", consent, PERMITTED).trainable is trainable


def test_text_of_unknown_origin_is_nobodys_to_train_on() -> None:
    with pytest.raises(ValueError, match="unknown source"):
        verdict("rumour", "given", Policy())
