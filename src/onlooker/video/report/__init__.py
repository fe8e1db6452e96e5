"""What people look at: annotated videos, contact sheets, timelines and the report page."""
