"""What the speed benches share: models of real shapes with random weights, peers, and how a stream is timed."""
