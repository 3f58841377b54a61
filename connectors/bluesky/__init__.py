"""Posts on Bluesky that link to one's sites, as the network's Jetstream tells them."""
