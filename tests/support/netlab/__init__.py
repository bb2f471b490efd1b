"""A lab of two network namespaces, and iperf3 programs run in it."""
