"""Links that Bing knows of to your sites, by the API of Bing Webmaster Tools."""
