"""One description of a network, built and trained by three libraries, each in a process of its own."""
