"""The city's web console, a process of its own: nothing that receives values imports its pages."""
