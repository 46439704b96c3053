"""The chapter's loop made safe: plan, apply, roll back. ``writer`` makes the only EC2 writes."""
