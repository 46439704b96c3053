"""Looking: AWS read-only, and the workers over SSH. All that is seen becomes evidence."""
