"""Network cards between the kernel and DPDK; scripts/bind is the command."""
