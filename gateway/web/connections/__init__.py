"""Who is connected to a console, and for how long anybody may keep it waiting."""
