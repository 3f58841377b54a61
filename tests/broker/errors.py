"""What the in-memory broker answers when it refuses."""


class BrokerError(Exception):
    """A request failed; what it asked for was perhaps done nevertheless."""


class RefusedError(BrokerError):
    """A request asked for what this broker never does, such as taking a record that is too long."""


class OutdatedProducerError(BrokerError):
    """A newer producer has the same transactional id, or this one's transaction took too long."""


class ExpiredMemberError(BrokerError):
    """A member was thrown out of its group, as it was out of reach for too long. It may come back as a new one."""


class ReplacedMemberError(BrokerError):
    """Another process has taken a member's place with the same instance id."""
