"""What is kept of each article: links, visits, registration, and the previous verdict. It knows nothing of judging."""
