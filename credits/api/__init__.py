"""The API of applications of credits."""
