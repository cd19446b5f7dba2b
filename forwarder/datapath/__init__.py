"""Where packets meet the kernel: sockets in, sockets out, in whichever namespace they live."""
