"""Development tools: generators and house lints."""
