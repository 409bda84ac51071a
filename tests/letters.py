"""What each letter is rendered with in tests and previews: every kind has a sample, with all that it names."""

from marketplace.domain.notifications import Kind

SAMPLES: dict[str, dict[str, object]] = {
    Kind.EMAIL_VERIFICATION: {"digits": "012345", "minutes": 10},
    Kind.SELLER_APPROVED: {},
    Kind.SELLER_REJECTED: {"reason": "The scan of your papers cannot be read."},
    Kind.SELLER_SUSPENDED: {"reason": "Three buyers received copies that are not genuine."},
}
