"""What `import flatline` offers: link events into articles, verdicts on these, explanations, backtests, and a producer.

None of it needs Kafka but the producer. Its names are the package's own (`flatline.fold`), and stable.
"""
