"""The verdict on one article: a pure function of its state, what could be seen, the policy and the time."""
