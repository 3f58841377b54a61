"""The base of all errors that people can mend."""


class FlatlineError(Exception):
    """Something that a person can mend. ``str`` says what happened and where, ``remedy`` what to do about it.

    Each subclass has a remedy for all of its errors; whoever raises one and knows a better remedy passes that. A
    traceback shows it as a note.
    """

    remedy: str = ""

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy or self.remedy
        self.add_note(self.remedy)

    @property
    def whole(self) -> str:
        """Both, one after the other."""
        return f"{self}\n{self.remedy}"
