"""Settings, URLs, and the programs that start Almoner."""
