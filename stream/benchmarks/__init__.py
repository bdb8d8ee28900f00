"""What `face-stream bench` measures: the speed of a run, and the engine's parity with dlib."""
