"""A program's compilations as OpenTelemetry spans: made here, sent by a process of their own."""
