"""All that a verdict on one article rests on, put together for somebody who asks why."""
