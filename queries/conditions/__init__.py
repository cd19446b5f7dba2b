"""What is wrong now, in sentences: one table of conditions (`condition`), decided in one place (`evaluation`) from what the
services tell of themselves (`reading`), and shown everywhere by `verdict`."""
