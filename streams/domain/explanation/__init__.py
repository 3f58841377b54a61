"""Everything that a verdict on one article rests on, for somebody who asks why."""
