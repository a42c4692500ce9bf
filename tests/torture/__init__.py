"""Long trials of what must survive: turned bytes, power cuts, full disks. Short parts of them run with the tests."""
