"""The tests of stream-app; they mirror its folders."""
