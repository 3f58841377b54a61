"""External links that the wikis of Wikimedia gain and lose, as their event stream tells them."""
