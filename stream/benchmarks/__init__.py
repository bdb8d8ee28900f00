"""What `face-stream bench` measures: the speed of a run, parity with dlib, tracks and labels."""
