"""The real servers that the tests run against, and the proxy that breaks the road to them."""
