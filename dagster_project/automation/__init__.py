"""What runs by itself: a schedule a source, and the sensor that loads and builds what lands."""
