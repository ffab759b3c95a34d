"""Made-up streets, seen by a spinning LiDAR and by cameras: every sensor looks at the same scene."""
