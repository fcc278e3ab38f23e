"""What Almoner is measured against: programs of their own, each in a database of its own."""
