"""Values and rules of the study pharmacy: no Qt, no database, no paper."""
