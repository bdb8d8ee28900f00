"""The page in a browser: pictures, people, controls, files and figures of the sources of a run."""
