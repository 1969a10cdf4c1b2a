"""People, posts, roles by post, sign-in, policy."""
