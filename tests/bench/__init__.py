"""Whether the benchmarks run and tell what they must; never how fast anything is."""
