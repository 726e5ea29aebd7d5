"""The registry of gateways: enrolment and credentials."""
